// Clients that people use, as they are: each receives events at once, loses its connection in three ways, and misses and repeats nothing. None
// of them reads `end` or `reconnect`: what they do, they do because of how the body ends (docs/decisions/0030-ends-of-streams.md).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createToken } from '../../src/development.js'
import { Fleet } from '../helpers/fleet.js'
import { openSse, type SseClient } from '../helpers/sse.js'
import { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'
import { startBalancer } from './balancer.js'
import { CLIENTS, type ZooClient } from './clients.js'
import { type Line, Listener } from './listener.js'
import { type Figures, tableOf } from './table.js'

/** The callers and the streams that supersede those of the clients are on this node. */
const STAYS = 0
const REPLACED = 1

/** From the request that causes an event until the client has printed it. */
const EVENT_WITHIN_MS = 200
/** Two events each. A quarter of the events has to arrive in time, because the machine does other things too. */
const CALLS = 5
/** Calls made while a connection is lost. */
const CALLS_MEANWHILE = 4
/** `retry:` is at most 4 s. A client that reconnects although the body was complete does so in this time. */
const RECONNECT_MS = 5_000

const MAILBOX_TYPES = ['call.incoming', 'call.ended']
const STREAM_TYPES = ['hello', 'caught-up', 'reset', 'heartbeat', 'reconnect', 'end']

/** In CI a client that is not installed is a failure. */
const requiresAll = process.env.ZOO_REQUIRE_ALL === '1'
/** Only the clients whose names contain this. */
const { ZOO_CLIENT = '' } = process.env

const figures: Figures[] = []
/** The streams that superseded those of the clients. */
const newcomers: { readonly client: string; readonly stream: SseClient }[] = []

const TMPDIR = mkdtempSync(join(tmpdir(), 'signalpost-zoo-'))
t.teardown(() => rmSync(TMPDIR, { recursive: true, force: true, maxRetries: 5 }))
const fleet = await Fleet.launch(2, undefined, { CORS_ORIGINS: '*', DRAIN_SETTLE_MS: '0' })
t.teardown(() => fleet.stop())
const balancer = await startBalancer(fleet.urlOf(REPLACED))
t.teardown(() => balancer.close())

/** A client as the callee, and the user who calls it. */
interface Pair {
  readonly listener: Listener
  readonly callee: TestClient
  readonly caller: TestClient
}

let calls = 0

/** Calls the client and hangs up, without waiting for the two events. */
async function call({ caller, callee }: Pair): Promise<void> {
  const callId = `call-${++calls}`
  await caller.post('calls', { callId, to: callee.user })
  await caller.post(`calls/${callId}/cancel`)
}

/** The same, but each event has to arrive before the next request. Resolves to both times from request to event, in milliseconds. */
async function measureCall({ listener, caller, callee }: Pair): Promise<number[]> {
  const callId = `call-${++calls}`
  const measure = async (type: string, path: string, body?: object) => {
    const since = performance.now()
    await caller.post(path, body)
    const isWanted = ({ event, data }: Line) => event === type && data.data.callId === callId
    return (await listener.find(`${type} of ${callId}`, isWanted)).at - since
  }
  return [
    await measure('call.incoming', 'calls', { callId, to: callee.user }),
    await measure('call.ended', `calls/${callId}/cancel`)
  ]
}

/** Resolves to the time until the client has resumed, in milliseconds. */
async function measureResume(pair: Pair, lose: () => Promise<unknown>): Promise<number> {
  const { listener } = pair
  const known = listener.events.length
  const since = performance.now()
  const lost = lose()
  for (let n = 0; n < CALLS_MEANWHILE; n++) await call(pair)
  const { at } = await listener.find('caught-up', ({ event }) => event === 'caught-up', known)
  await lost
  await measureCall(pair)
  return at - since
}

async function kill(): Promise<void> {
  balancer.passTo(fleet.urlOf(STAYS))
  balancer.refuseNext()
  await fleet.kill(REPLACED)
  await fleet.start(REPLACED)
}

/** The client moves from the node that stays to the one that is replaced next. */
async function cutEvent(): Promise<void> {
  balancer.passTo(fleet.urlOf(REPLACED))
  balancer.cutNextEvent()
}

async function drain(t: Test): Promise<void> {
  balancer.passTo(fleet.urlOf(STAYS))
  t.equal(await fleet.drain(REPLACED), 0, 'the drained node ended by itself')
  await fleet.start(REPLACED)
}

async function start(client: ZooClient, user: string): Promise<Pair> {
  const device = 'zoo'
  const [callee, caller] = await Promise.all([
    TestClient.create(fleet, { user, device, node: STAYS }),
    TestClient.create(fleet, { user: `caller-of-${user}`, device, node: STAYS })
  ])
  const byTicket = client.credential === 'ticket'
  const query = byTicket ? `?ticket=${(await callee.post('events/tickets')).ticket}` : ''
  const listener = new Listener(t, client, {
    STREAM_URL: `${balancer.url}/v1/events${query}`,
    TOKEN: byTicket ? '' : await createToken(fleet.config, { user, device }),
    EVENT_TYPES: [...MAILBOX_TYPES, ...STREAM_TYPES].join(),
    TMPDIR
  })
  await listener.find('hello', ({ event }) => event === 'hello')
  return { listener, callee, caller }
}

/** Replaces the stream of the client by a newer one of its device, which replays the whole mailbox. Resolves to the events. */
async function supersede({ listener, callee }: Pair, client: string): Promise<string[]> {
  const stream = await openSse(`${fleet.urlOf(STAYS)}/v1/events?cursor=start`, callee.credentials)
  newcomers.push({ client, stream })
  await listener.find('end', ({ event, data }) => event === 'end' && data.data.reason === 'superseded')
  const replayed: string[] = []
  for (let frame = await stream.next(); frame.type !== 'caught-up'; frame = await stream.next())
    replayed.push(`${frame.id} ${frame.type}`)
  return replayed
}

async function tryClient(t: Test, client: ZooClient, user: string): Promise<void> {
  balancer.passTo(fleet.urlOf(REPLACED))
  const pair = await start(client, user)
  const { listener } = pair
  t.teardown(() => t.passing() || t.comment(listener.notes))

  const times: number[] = []
  for (let n = 0; n < CALLS; n++) times.push(...(await measureCall(pair)))
  const [first = 0] = times
  times.sort((a, b) => a - b)
  const [quartile = 0, median = 0] = [times[CALLS >> 1], times[CALLS]]
  t.ok(
    quartile <= EVENT_WITHIN_MS,
    `${EVENT_WITHIN_MS} ms are enough for an event: ${times.map(Math.round).join(', ')}`
  )

  const killed = await measureResume(pair, kill)
  const cut = await measureResume(pair, cutEvent)
  const drained = await measureResume(pair, () => drain(t))
  const received = listener.events.filter(({ event }) => MAILBOX_TYPES.includes(event))
  t.same(
    received.map(({ id, event }) => `${id} ${event}`),
    await supersede(pair, client.name),
    'nothing was lost or repeated'
  )
  t.notOk(
    listener.events.some(({ event }) => event === 'reset'),
    'no reset'
  )
  figures.push({ client: client.name, version: listener.version, first, median, killed, cut, drained })
}

const wanted = CLIENTS.filter(({ name }) => name.includes(ZOO_CLIENT))
t.not(wanted.length, 0, 'a client has ZOO_CLIENT in its name')

for (const [n, client] of wanted.entries()) {
  const { name, missing } = client
  const how = `${missing?.what} is not installed: test/zoo/install.sh ${missing?.part}`
  if (missing === null) t.test(name, t => tryClient(t, client, `callee-${n}`))
  else if (requiresAll) t.fail(`${name}: ${how}`)
  else t.test(name, { skip: how }, () => {})
}

t.test('a client whose stream was superseded does not come back', async t => {
  const end = Date.now() + RECONNECT_MS
  await until('every client has had the time to reconnect', () => Date.now() > end)
  for (const { client, stream } of newcomers) {
    t.notOk(
      stream.waiting().some(({ type }) => type === 'end'),
      client
    )
    await stream.close()
  }
  for (const line of tableOf(figures)) t.comment(line)
})
