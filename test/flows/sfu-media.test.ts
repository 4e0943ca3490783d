// Sending and receiving media through a media service, with participants on two nodes.
import t from 'tap'
import { join } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { FINGERPRINT, MediaClient, meetInSfu, rtpParameters, startMediaService } from '../helpers/sfu.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

flow(
  'what a participant sends is announced to the others, who consume it, and a newcomer receives it with the join',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const appData = { title: 'Alice' }
    const reply = await alice.produce('camera', 'video', { appData })
    const producer = {
      ...{ producerId: 'camera', participantId: alice.id, ...alice.who.endpoint },
      ...{ kind: 'video', source: 'video', type: 'simple', paused: false, appData }
    }
    t.strictSame(reply, { status: 201, body: { producer } })
    t.strictSame((await bob.who.expectEvent('sfu.producer_added')).producer, producer)

    const consumed = await bob.consume('c1', alice, 'camera')
    t.match(consumed, {
      status: 201,
      body: { consumer: { id: 'c1', producerId: 'camera', kind: 'video', paused: true, producerPaused: false } }
    })
    const { consumer } = consumed.body as { consumer: { rtpParameters: object } }
    t.strictSame(consumer.rtpParameters, rtpParameters('video'), 'members that are not known are passed on')
    t.match(await bob.request('POST', 'consumers/c1/resume'), { status: 200, body: { paused: false } })
    const layers = { preferredLayers: { spatialLayer: 2, temporalLayer: 1 }, priority: 3 }
    t.match(await bob.request('PATCH', 'consumers/c1', layers), { status: 200, body: { ...layers, paused: false } })
    t.equal((await bob.request('POST', 'consumers/c1/request-key-frame')).status, 204)

    const listed = { sfu: { available: true }, producers: [producer], dataProducers: [] }
    const dora = await scenario.addClient('dora', 'phone')
    const joined = await dora.post('rooms/r1/participants')
    t.match(joined, listed)
    for (const { who } of [alice, bob]) await who.expectEvent('room.participant_joined')
    t.match((await bob.who.request('GET', 'rooms/r1')).body, listed)
    t.match((await bob.who.request('GET', 'snapshot')).body, { rooms: [{ room: { mode: 'sfu' }, ...listed }] })
    const { sessionId } = (await bob.request('GET', 'producers')).body
    t.match(joined, { sfu: { sessionId } })
    t.match(await bob.request('GET', 'capabilities'), { status: 200, body: { sessionId } })
  },
  { env }
)

flow(
  'pausing, resuming and closing are announced to the others once each',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('camera')
    await alice.produce('microphone', 'audio')
    await bob.who.expectEvents('sfu.producer_added', 'sfu.producer_added')
    const named = {
      roomId: scenario.toWire('r1'),
      participantId: alice.id,
      producerId: 'camera',
      by: alice.who.endpoint
    }
    for (const paused of [true, false]) {
      t.match(await alice.pause('camera', paused), { status: 200, body: { producer: { paused } } })
      t.match(await alice.pause('camera', paused), { status: 200, body: { producer: { paused } } })
      const event = await bob.who.expectEvent(paused ? 'sfu.producer_paused' : 'sfu.producer_resumed')
      t.match(event, { ...named, roomId: 'r1' })
    }
    for (let i = 0; i < 2; i++) t.equal((await alice.request('DELETE', 'producers/camera')).status, 204)
    t.match(await bob.who.expectEvent('sfu.producer_closed'), { ...named, roomId: 'r1' })
    t.strictSame(await bob.sent(), ['microphone'])
    t.match(await bob.consume('c1', alice, 'camera'), { body: { code: 'media_not_found' } })
    for (let i = 0; i < 2; i++) t.equal((await alice.request('DELETE', 'transports/send')).status, 204)
    t.match(await bob.who.expectEvent('sfu.producer_closed'), { producerId: 'microphone' })
    t.strictSame(await bob.sent(), [])
  },
  { env }
)

flow(
  'data channels go through the media service in the same way',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const reply = await alice.produceData('pointer', { label: 'pointer', appData: { color: 'red' } })
    const dataProducer = {
      ...{ dataProducerId: 'pointer', participantId: alice.id, ...alice.who.endpoint },
      ...{ label: 'pointer', protocol: '', appData: { color: 'red' } }
    }
    t.strictSame(reply, { status: 201, body: { dataProducer } })
    t.strictSame((await bob.who.expectEvent('sfu.data_producer_added')).dataProducer, dataProducer)
    t.match(await bob.consumeData('d1', alice, 'pointer'), {
      status: 201,
      body: { dataConsumer: { id: 'd1', label: 'pointer', protocol: '', sctpStreamParameters: { ordered: true } } }
    })
    for (const [who, path] of [
      [bob, 'data-consumers/d1'],
      [alice, 'data-producers/pointer']
    ] as const) {
      t.match(await who.request('GET', `${path}/stats`), { status: 200, body: { stats: [{}] } })
      t.equal((await who.request('DELETE', path)).status, 204)
    }
    t.match(await bob.who.expectEvent('sfu.data_producer_closed'), { dataProducerId: 'pointer' })
    t.match(await bob.consumeData('d2', alice, 'pointer'), { body: { code: 'media_not_found' } })
  },
  { env }
)

flow(
  'a transport is connected and restarted by its owner, and repeats change nothing',
  async (t, scenario) => {
    const [alice] = await meetInSfu(scenario)
    const again = await alice.request('POST', 'transports', { transportId: 'send', enableSctp: true })
    t.match(again, { status: 201, body: { transport: { id: 'send', iceCandidates: [{ address: '203.0.113.7' }] } } })
    t.match(again.body, { transport: { sctpParameters: { port: 5000 } } })
    const plain = await alice.post('transports', { transportId: 'plain' })
    t.notOk('sctpParameters' in (plain.transport as object), 'mediasoup-client takes no null')
    t.match(await alice.request('POST', 'transports', { transportId: 'send' }), { body: { code: 'media_conflict' } })
    const connect = (fingerprint: object) =>
      alice.request('POST', 'transports/send/connect', {
        dtlsParameters: { role: 'client', fingerprints: [fingerprint] }
      })
    for (let i = 0; i < 2; i++) t.equal((await connect(FINGERPRINT)).status, 204)
    t.match(await connect({ ...FINGERPRINT, value: 'CC' }), { status: 409, body: { code: 'media_conflict' } })
    t.match(await alice.request('POST', 'transports/send/restart-ice'), {
      status: 200,
      body: { iceParameters: { usernameFragment: /^restarted/ } }
    })
    t.match(await alice.request('GET', 'transports/send/stats'), { status: 200, body: { stats: [{}] } })
  },
  { env }
)

flow(
  'no id of another participant is reached',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('camera')
    await bob.who.expectEvent('sfu.producer_added')
    await alice.produceData('pointer')
    await bob.who.expectEvent('sfu.data_producer_added')
    await alice.post('transports', { transportId: 'extra' })
    await alice.consume('own', alice, 'camera')
    await alice.consumeData('own-data', alice, 'pointer')
    const unknown = { status: 404, body: { code: 'media_not_found' } }
    const dtlsParameters = { fingerprints: [FINGERPRINT] }
    t.match(await bob.request('POST', 'transports/extra/connect', { dtlsParameters }), unknown)
    t.match(await bob.request('POST', 'transports/extra/restart-ice'), unknown)
    t.match(await bob.request('POST', 'producers', { ...bob.producing('x'), transportId: 'extra' }), unknown)
    t.match(await bob.consume('x', alice, 'camera', { transportId: 'extra' }), unknown)
    t.match(await bob.pause('camera'), unknown)
    t.match(await bob.request('PATCH', 'consumers/own', { paused: false }), unknown)
    t.match(await bob.request('POST', 'consumers/own/resume'), unknown)
    t.match(await bob.request('POST', 'consumers/own/request-key-frame'), unknown)
    const own = { transports: 'extra', producers: 'camera', consumers: 'own', 'data-producers': 'pointer' }
    for (const [kind, id] of Object.entries({ ...own, 'data-consumers': 'own-data' })) {
      t.match(await bob.request('GET', `${kind}/${id}/stats`), unknown)
      t.equal((await bob.request('DELETE', `${kind}/${id}`)).status, 204)
      t.equal((await alice.request('GET', `${kind}/${id}/stats`)).status, 200, `${kind} of alice is still there`)
    }
    t.strictSame(await alice.sent(), ['camera'])
    const eve = await scenario.addClient('eve', 'phone', { silent: true })
    await eve.expectRefusal('room_not_found', 'rooms/r1/sfu/transports', {})
  },
  { env }
)

flow(
  'a moderator pauses and closes what another participant sends, and cannot resume it',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await bob.produce('microphone', 'audio')
    await alice.who.expectEvent('sfu.producer_added')
    const path = `participants/${bob.id}/producers/microphone`
    const paused = { participantId: bob.id, producerId: 'microphone', by: alice.who.endpoint }
    t.match(await alice.request('PATCH', path, { paused: true }), { status: 200, body: { producer: { paused: true } } })
    t.match(await bob.who.expectEvent('sfu.producer_paused'), paused)
    t.match(await alice.request('PATCH', path, { paused: false }), { status: 400, body: { code: 'invalid_request' } })
    t.match(await bob.pause('microphone', false), { status: 200 })
    await alice.who.expectEvent('sfu.producer_resumed')
    const others = `participants/${alice.id}/producers/camera`
    t.match(await bob.request('PATCH', others, { paused: true }), { status: 403, body: { code: 'not_permitted' } })
    t.match(await bob.request('DELETE', others), { status: 403, body: { code: 'not_permitted' } })
    t.match(await alice.request('PATCH', 'participants/nobody/producers/x', { paused: true }), {
      body: { code: 'participant_not_found' }
    })
    t.equal((await alice.request('DELETE', path)).status, 204)
    t.match(await bob.who.expectEvent('sfu.producer_closed'), paused)
    t.match(await bob.request('GET', 'producers/microphone/stats'), { body: { code: 'media_not_found' } })
  },
  { env }
)

flow(
  'when a participant leaves or is banned, its producers are gone with room.participant_left',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const carol = await new MediaClient(
      await join(await scenario.addClient('carol', 'tv'), 'r1'),
      'r1'
    ).openTransports()
    for (const { who } of [alice, bob]) await who.expectEvent('room.participant_joined')
    for (const who of [bob, carol]) await who.produce(`of-${who.who.user}`)
    await alice.who.expectEvents('sfu.producer_added', 'sfu.producer_added')
    await bob.who.expectEvent('sfu.producer_added')
    await carol.who.expectEvent('sfu.producer_added')
    t.strictSame(await alice.sent(), ['of-bob', 'of-carol'])
    await alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
    for (const { who } of [bob, carol]) await who.expectEvent('room.participant_left')
    t.strictSame(await alice.sent(), ['of-carol'])
    t.match(await alice.consume('c1', bob, 'of-bob'), { body: { code: 'participant_not_found' } })
    t.match(await bob.produce('again'), { status: 403, body: { code: 'banned' } })
    await carol.who.request('DELETE', `rooms/r1/participants/${carol.id}`)
    await alice.who.expectEvent('room.participant_left')
    t.strictSame(await alice.sent(), [])
    t.match((await alice.who.request('GET', 'rooms/r1')).body, { producers: [] })
    const [session] = service.sessionsOf(scenario.toWire('r1'))
    await scenario.advance(250)
    t.strictSame([...(session?.participants.keys() ?? [])], [alice.id], 'the media service has closed their transports')
  },
  { env }
)

flow(
  'when a device joins anew, it begins without the media of its former participation',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await bob.produce('camera')
    await alice.who.expectEvent('sfu.producer_added')
    const replaced = await join(bob.who, 'r1', { replace: true })
    await alice.who.expectEvents('room.participant_left', 'room.participant_joined')
    t.strictSame(await alice.sent(), [])
    const anew = new MediaClient(replaced, 'r1')
    t.match(await anew.produce('camera'), { body: { code: 'media_not_found' } }, 'its transports are new too')
    await anew.openTransports()
    t.equal((await anew.produce('camera')).status, 201)
    await alice.who.expectEvent('sfu.producer_added')
  },
  { env }
)

flow(
  'in a room of mode p2p there is no media service to ask',
  async (t, scenario) => {
    const [a] = await scenario.addAliceAndBob()
    await join(a, 'r1')
    for (const path of ['capabilities', 'producers'])
      t.match(await a.request('GET', `rooms/r1/sfu/${path}`), { status: 409, body: { code: 'not_sfu' } })
    await a.expectRefusal('not_sfu', 'rooms/r1/sfu/transports', {})
    t.match((await a.request('GET', 'rooms/r1')).body, { sfu: null, producers: [], dataProducers: [] })
  },
  { env }
)
