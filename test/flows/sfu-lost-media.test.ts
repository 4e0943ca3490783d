// What requests are answered whose transport the media service has lost, and requests about data channels while the service hangs or is dead.
import t from 'tap'
import type { Operation } from '../helpers/media-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { FINGERPRINT, type MediaClient, meetInSfu, startMediaService } from '../helpers/sfu.js'
import type { Reply } from '../helpers/test-client.js'

const TIMEOUT_MS = 400
const { service, ...started } = await startMediaService()
const env = { ...started.env, MEDIA_SERVICE_TIMEOUT_MS: String(TIMEOUT_MS) }
t.teardown(() => service.close())

const NOT_FOUND = { status: 404, body: { code: 'media_not_found' } }
const UNAVAILABLE = { status: 503, body: { code: 'media_unavailable', retryable: true } }

/** Requests of a participant with a camera, of which each needs the transport `send`. */
const NEEDING_TRANSPORT: Readonly<Record<string, (client: MediaClient) => Promise<Reply>>> = {
  'restarting ICE': client => client.request('POST', 'transports/send/restart-ice'),
  'connecting it': client =>
    client.request('POST', 'transports/send/connect', {
      dtlsParameters: { role: 'client', fingerprints: [FINGERPRINT] }
    }),
  'reading its statistics': client => client.request('GET', 'transports/send/stats'),
  'creating a producer': client => client.produce('screen'),
  'creating a data producer': client => client.produceData('chat'),
  'pausing a producer': client => client.pause('camera'),
  'reading the statistics of a producer': client => client.request('GET', 'producers/camera/stats')
}

flow(
  'what needs a transport that the service has lost is refused with media_not_found, and the id can be used again',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('camera')
    await bob.who.expectEvent('sfu.producer_added')
    const [session] = service.sessionsOf(scenario.toWire('r1'))
    const resources = session?.participants.get(alice.id)?.resources
    resources?.transports.delete('send')
    resources?.producers.delete('camera')
    for (const [what, request] of Object.entries(NEEDING_TRANSPORT))
      t.match(await request(alice), NOT_FOUND, `${what}, before the loss is pushed`)
    t.strictSame(await bob.sent(), ['camera'])

    service.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
    const named = { participantId: alice.id }
    await service.push(session, [
      { type: 'producer_closed', ...named, producerId: 'camera' },
      { type: 'transport_closed', ...named, transportId: 'send', reason: 'ice_failed' }
    ])
    await alice.who.expectEvents('sfu.producer_closed', 'sfu.transport_closed')
    await bob.who.expectEvent('sfu.producer_closed')
    for (const [what, request] of Object.entries(NEEDING_TRANSPORT))
      t.match(await request(alice), NOT_FOUND, `${what}, after the loss is pushed`)
    t.equal((await alice.request('DELETE', 'transports/send')).status, 204)

    await alice.post('transports', { transportId: 'send', enableSctp: true })
    t.equal((await alice.request('POST', 'transports/send/restart-ice')).status, 200)
    t.equal((await alice.produce('camera')).status, 201)
    await bob.who.expectEvent('sfu.producer_added')
  },
  { env }
)

interface DataRequest {
  /** What the media service is asked. */
  readonly asks: Operation
  send(alice: MediaClient, bob: MediaClient): Promise<Reply>
  readonly status: number
  /** What bob receives when it succeeds. */
  readonly event?: string
}

/** Alice has the data producer `chat`, and bob its consumer `c`. */
const ABOUT_DATA: Readonly<Record<string, DataRequest>> = {
  'to create a data producer': {
    ...{ asks: 'create', send: alice => alice.produceData('files'), status: 201 },
    event: 'sfu.data_producer_added'
  },
  'to create a data consumer': {
    asks: 'create',
    send: (alice, bob) => bob.consumeData('d', alice, 'chat'),
    status: 201
  },
  'for the statistics of a data producer': {
    ...{ asks: 'getStats', send: alice => alice.request('GET', 'data-producers/chat/stats'), status: 200 }
  },
  'for the statistics of a data consumer': {
    ...{ asks: 'getStats', send: (_, bob) => bob.request('GET', 'data-consumers/c/stats'), status: 200 }
  },
  'to close a data consumer': {
    ...{ asks: 'close', send: (_, bob) => bob.request('DELETE', 'data-consumers/c'), status: 204 }
  }
}

async function startChat(scenario: Scenario): Promise<[alice: MediaClient, bob: MediaClient]> {
  const [alice, bob] = await meetInSfu(scenario)
  await alice.produceData('chat')
  await bob.who.expectEvent('sfu.data_producer_added')
  t.equal((await bob.consumeData('c', alice, 'chat')).status, 201)
  return [alice, bob]
}

const dataIn = async (client: MediaClient): Promise<unknown> =>
  ((await client.request('GET', 'producers')).body.dataProducers as { dataProducerId: string }[]).map(
    ({ dataProducerId }) => dataProducerId
  )

flow(
  'while the service hangs, each request about data channels is refused in time and changes nothing, and a repeat succeeds',
  async (t, scenario) => {
    const [alice, bob] = await startChat(scenario)
    for (const [what, { asks, send, status, event }] of Object.entries(ABOUT_DATA)) {
      const before = await dataIn(bob)
      const repair = service.inject(asks, 'hang')
      const startedAt = performance.now()
      t.match(await send(alice, bob), UNAVAILABLE, `a request ${what}`)
      t.ok(performance.now() - startedAt < 2 * TIMEOUT_MS, 'in time')
      repair()
      t.strictSame(await dataIn(bob), before)
      t.equal((await send(alice, bob)).status, status, `a repeat ${what}`)
      if (event !== undefined) await bob.who.expectEvent(event)
    }
  },
  { env }
)

flow(
  'while the service is dead, each request about data channels is refused, and the next session begins without any',
  async (t, scenario) => {
    const [alice, bob] = await startChat(scenario)
    await alice.who.request('PUT', 'rooms/r1', { p2pFallback: false })
    await bob.who.expectEvent('room.updated')
    service.kill()
    for (const [what, { send }] of Object.entries(ABOUT_DATA))
      t.match(await send(alice, bob), UNAVAILABLE, `a request ${what}`)
    for (const { who } of [alice, bob]) await scenario.advanceDuring(who.expectEvent('sfu.unavailable'))
    service.restart()
    for (const { who } of [alice, bob]) await scenario.advanceDuring(who.expectEvent('sfu.available'))
    await scenario.advanceDuring(alice.openTransports())
    await bob.openTransports()
    t.strictSame(await dataIn(bob), [])
    t.match(await bob.consumeData('c', alice, 'chat'), NOT_FOUND)
    t.equal((await alice.produceData('chat')).status, 201)
    await bob.who.expectEvent('sfu.data_producer_added')
    t.equal((await bob.consumeData('c', alice, 'chat')).status, 201)
  },
  { env }
)
