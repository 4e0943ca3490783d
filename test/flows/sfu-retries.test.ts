// Requests to the media service that are repeated, that fail half-way, and that race with each other.
import assert from 'node:assert/strict'
import t from 'tap'
import { flow } from '../helpers/scenario.js'
import { type MediaClient, meetInSfu, startMediaService } from '../helpers/sfu.js'
import { until } from '../helpers/until.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

/** Starts the request while the media service does not answer `operation`; `meanwhile` runs when the service has received it. */
async function whileHeld<T>(
  operation: 'create' | 'update',
  request: () => Promise<T>,
  meanwhile: () => Promise<unknown>
): Promise<T> {
  const release = service.inject(operation, 'hold')
  const before = service.countOf(operation)
  const reply = request()
  await until(`the media service has received ${operation}`, () => service.countOf(operation) > before)
  await meanwhile()
  release()
  return reply
}

/** What the media service has of a participant. */
function producersAt(roomId: string, { id }: MediaClient): string[] {
  const [session] = service.sessionsOf(roomId).slice(-1)
  return [...(session?.participants.get(id)?.resources.producers.keys() ?? [])].sort()
}

flow(
  'a create with the same id or Idempotency-Key returns the first one, and with other parameters it is refused',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const first = await alice.produce('camera')
    t.equal(first.status, 201)
    t.strictSame(await alice.produce('camera'), { ...first, status: 200 })
    t.match(await alice.produce('camera', 'video', { paused: true, appData: { other: 1 } }), { ...first, status: 200 })
    for (const other of [{ source: 'screen' }, { transportId: 'receive' }])
      t.match(await alice.produce('camera', 'video', other), { status: 409, body: { code: 'media_conflict' } })
    t.match(await alice.produce('camera', 'audio'), { status: 409, body: { code: 'media_conflict' } })
    const otherRtp = { rtpParameters: { ...alice.producing('camera').rtpParameters, mid: '7' } }
    t.match(await alice.produce('camera', 'video', otherRtp), { status: 409, body: { code: 'media_conflict' } })

    const { producerId: _, ...unnamed } = alice.producing('x', 'audio')
    const keyed = { 'idempotency-key': 'k1' }
    const [one, two] = [
      await alice.request('POST', 'producers', unnamed, keyed),
      await alice.request('POST', 'producers', unnamed, keyed)
    ]
    t.same([one.status, two.status], [201, 200])
    t.strictSame(one.body, two.body)
    await bob.who.expectEvents('sfu.producer_added', 'sfu.producer_added')
    t.match(await alice.produce('key~x'), { status: 400, body: { code: 'invalid_request' } })
    const transports = await Promise.all(
      ['k2', 'k2'].map(key => alice.request('POST', 'transports', {}, { 'idempotency-key': key }))
    )
    t.strictSame(transports[0], transports[1])
    const consumed = await Promise.all(['c1', 'c1'].map(id => bob.consume(id, alice, 'camera')))
    t.strictSame(consumed[0], consumed[1])
    t.match(await bob.consume('c1', alice, 'camera', { transportId: 'send' }), { body: { code: 'media_conflict' } })
    await bob.produceData('d')
    t.equal((await bob.produceData('d')).status, 200)
    t.match(await bob.produceData('d', { label: 'x' }), { body: { code: 'media_conflict' } })
    await alice.who.expectEvent('sfu.data_producer_added')
    const bobs = await bob.produce('camera')
    t.equal(bobs.status, 201, 'ids are unique among those of one participant only')
    await alice.who.expectEvent('sfu.producer_added')
  },
  { env }
)

flow(
  'when the reply of the media service is lost, a retry with the same id completes the first request',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const remove = service.inject('create', 'die')
    const lost = await alice.produce('camera')
    remove()
    t.match(lost, { status: 503, body: { code: 'media_unavailable', retryable: true } })
    t.strictSame(await alice.sent(), [], 'nothing was announced')
    t.strictSame(producersAt(scenario.toWire('r1'), alice), ['camera'])
    t.equal((await alice.produce('camera')).status, 201)
    t.match(await bob.who.expectEvent('sfu.producer_added'), { producer: { producerId: 'camera' } })

    const failing = service.inject('update', 'error')
    t.match(await alice.pause('camera'), { body: { code: 'media_unavailable' } })
    failing()
    t.strictSame(await alice.sent(), ['camera'], 'the room says what the media service has confirmed')
    t.equal((await alice.pause('camera')).status, 200)
    await bob.who.expectEvent('sfu.producer_paused')
  },
  { env, ownCluster: true }
)

flow(
  'two producers that are created at the same moment are both announced, and one that is created twice is announced once',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const replies = await scenario.advanceDuring(Promise.all(['a', 'b', 'c', 'c'].map(id => alice.produce(id))))
    t.strictSame(replies.map(({ status }) => status).sort(), [200, 201, 201, 201])
    const added = []
    for (let i = 0; i < 3; i++) added.push((await bob.who.expectEvent('sfu.producer_added')).producer)
    t.strictSame((added as { producerId: string }[]).map(({ producerId }) => producerId).sort(), ['a', 'b', 'c'])
    t.strictSame(await bob.sent(), ['a', 'b', 'c'])
  },
  { env }
)

flow(
  'when a participant leaves while it begins to send, nothing is announced and the media service closes it',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const reply = await whileHeld(
      'create',
      () => bob.produce('camera'),
      () => alice.who.request('DELETE', `rooms/r1/participants/${bob.id}`)
    )
    t.match(reply, { status: 404, body: { code: /^(room_not_found|media_not_found)$/ } })
    t.strictSame(await alice.sent(), [])
    await bob.who.expectEvent('room.participant_left')
    await until('the media service has closed it', async () => {
      await scenario.advance(250)
      return producersAt(scenario.toWire('r1'), bob).length === 0
    })
  },
  { env }
)

flow(
  'when the session is lost while a participant begins to send, the request is refused and repeated in the new session',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const [session] = service.sessionsOf(scenario.toWire('r1'))
    assert.ok(session)
    service.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
    const reply = await whileHeld(
      'create',
      () => bob.produce('camera'),
      () => service.loseSession(session.sessionId)
    )
    t.match(reply, { status: 503, body: { code: 'media_unavailable' } })
    for (const { who } of [alice, bob]) await who.expectEvent('sfu.reset')
    t.strictSame(await alice.sent(), [])
    await until('the room has a new session', async () => (await bob.request('GET', 'capabilities')).status === 200)
    await bob.openTransports()
    t.equal((await bob.produce('camera')).status, 201)
    await alice.who.expectEvent('sfu.producer_added')
  },
  { env }
)

flow(
  'when a host pauses and the participant resumes at the same moment, room and media service agree',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await bob.produce('microphone', 'audio', { paused: true })
    await alice.who.expectEvent('sfu.producer_added')
    const path = `participants/${bob.id}/producers/microphone`
    const stateOf = () => {
      const [session] = service.sessionsOf(scenario.toWire('r1'))
      return session?.participants.get(bob.id)?.resources.producers.get('microphone')?.state.paused
    }
    for (let i = 0; i < 5; i++) {
      const replies = await whileHeld(
        'update',
        () => Promise.all([bob.pause('microphone', false), alice.request('PATCH', path, { paused: true })]),
        async () => {}
      )
      t.ok(replies.every(({ status }) => status === 200))
      const { body } = await alice.request('GET', 'producers')
      const [producer] = body.producers as { paused: boolean }[]
      t.equal(stateOf(), producer?.paused, 'the media service has what the room says')
    }
    await scenario.cluster.settle()
    await drain(alice)
    await drain(bob)
  },
  { env }
)

/** Takes the events that have arrived. */
const drain = async ({ who }: MediaClient): Promise<void> => void (await who.poll())
