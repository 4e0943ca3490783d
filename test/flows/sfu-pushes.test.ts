// What a media service pushes: in order, once, and only with the secret and for the session that the room is on.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  meetOnMedia,
  nodesOf,
  sessionIn,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import type { Session } from '../helpers/media-sessions.js'
import type { JoinedClient } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'

const media = await startMedia(1)
const { env, services } = media
const [service] = services
t.teardown(() => closeMedia(media))

async function start(scenario: Scenario): Promise<{ host: JoinedClient; guest: JoinedClient; session: Session }> {
  await connect(scenario, media)
  const [host, guest] = await meetOnMedia(await addClients(scenario, 2))
  if (!host || !guest || !service) throw new Error('the room or its session is missing')
  return { host, guest, session: sessionIn(service, await sessionOf(host.who)) }
}

const closed = ({ id: participantId }: JoinedClient, transportId: string) => ({
  ...{ type: 'transport_closed', participantId, transportId, reason: 'ice_failed' }
})

async function skippedBy(nodeUrl: string): Promise<number> {
  const text = await (await fetch(`${nodeUrl}/metrics`)).text()
  return Number(/^signalpost_media_events_skipped_total (\d+)$/m.exec(text)?.[1])
}

flow(
  'events reach the participant in the order in which they were pushed, through all nodes',
  async (t, scenario) => {
    const { guest, session } = await start(scenario)
    const names = Array.from({ length: 20 }, (_, i) => `t${i}`)
    await Promise.all(names.map(name => service?.push(session, [closed(guest, name)])))
    for (const transportId of names) {
      const data = await guest.who.expectEvent('sfu.transport_closed')
      t.match(data, { participantId: guest.id, transportId, reason: 'ice_failed' })
    }
  },
  { env }
)

flow(
  'an event that is pushed again is taken once, also with newer ones',
  async (t, scenario) => {
    const { guest, session } = await start(scenario)
    const push = (seq: number, ...names: string[]) =>
      service?.send(session, { seq, events: names.map(name => closed(guest, name)), notices: [] })
    t.equal(await push(1, 'a', 'b'), 204)
    t.equal(await push(1, 'a', 'b'), 204)
    t.equal(await push(2, 'b', 'c'), 204)
    t.strictSame(
      await Promise.all([push(1, 'a', 'b', 'c', 'd'), push(4, 'd', 'e'), push(4, 'd', 'e')]),
      [204, 204, 204]
    )
    t.equal(await push(9, 'f'), 204, 'the service has dropped some')
    const names: unknown[] = []
    for (let i = 0; i < 6; i++) names.push((await guest.who.expectEvent('sfu.transport_closed')).transportId)
    t.strictSame(names, ['a', 'b', 'c', 'd', 'e', 'f'])
  },
  { env }
)

flow(
  'events for a session that the room is not on are refused with session_not_found',
  async (t, scenario) => {
    const { host, guest, session } = await start(scenario)
    const pushed = { seq: 1, events: [closed(guest, 'a')], notices: [] }
    const cases: readonly [name: string, session: Pick<Session, 'sessionId' | 'roomId' | 'service'>][] = [
      ['another session', { ...session, sessionId: 'other' }],
      ['another service', { ...session, service: '127.0.0.1:1' }],
      ['another room', { ...session, roomId: 'no-such-room' }]
    ]
    for (const [name, other] of cases) t.equal(await service?.send(other, pushed), 404, name)
    await host.who.request('PUT', 'rooms/r1', { mode: 'p2p' })
    await guest.who.expectEvent('room.updated')
    t.equal(await service?.send(session, pushed), 404, 'the room is p2p')
  },
  { env }
)

flow(
  'events without the secret are refused, and so is a document of another form',
  async (t, scenario) => {
    const { guest, session } = await start(scenario)
    const pushed = { seq: 1, events: [closed(guest, 'a')], notices: [] }
    t.equal(await service?.send(session, { ...pushed, secret: 'a-secret-that-is-not-the-right-one' }), 401)
    t.equal(await service?.send(session, { ...pushed, seq: 0 }), 400)
    t.equal(await service?.send(session, pushed), 204)
    await guest.who.expectEvent('sfu.transport_closed')
  },
  { env }
)

flow(
  'events and notices of an unknown type are skipped, and those beside them are taken',
  async (t, scenario) => {
    const { host, guest, session } = await start(scenario)
    const unknown = { type: 'producer_muted_by_ai', participantId: 7, more: { of: 'this' } }
    const push = (seq: number, ...events: object[]) => service?.send(session, { seq, events, notices: [] })
    t.equal(await push(1, unknown, closed(guest, 'a'), unknown, closed(guest, 'b')), 204)
    t.equal(await push(1, unknown, closed(guest, 'a'), unknown, closed(guest, 'b'), unknown), 204)
    t.equal(await push(5, unknown), 204)
    t.equal(await push(5, unknown, closed(guest, 'c')), 204)
    for (const transportId of ['a', 'b', 'c'])
      t.match(await guest.who.expectEvent('sfu.transport_closed'), { transportId })
    const speaking = { type: 'active_speaker', participantId: host.id }
    t.equal(await service?.send(session, { seq: 7, events: [], notices: [unknown, speaking] }), 204)
    for (const { who } of [host, guest]) await who.expectNotice('sfu.active_speaker')
    const skipped = await Promise.all(nodesOf(scenario).map(skippedBy))
    t.equal(
      skipped.reduce((sum, each) => sum + each),
      8
    )
  },
  { env }
)

const MALFORMED: readonly [what: string, status: number, pushed: { events?: object[]; notices?: object[] }][] = [
  ['an event without a type', 400, { events: [{ participantId: 'p' }] }],
  ['an event whose type is no text', 400, { events: [{ type: 5 }] }],
  ['an event whose type has more than 64 characters', 413, { events: [{ type: 'x'.repeat(65) }] }],
  ['an event without one of its members', 400, { events: [{ type: 'transport_closed' }] }],
  ['an event with a member of another form', 400, { events: [{ type: 'session_lost', reason: 'boredom' }] }],
  ['too many events', 413, { events: Array.from({ length: 1000 }, () => ({ type: 'unknown' })) }],
  ['a notice without one of its members', 400, { notices: [{ type: 'active_speaker' }] }],
  ['a notice without a type', 400, { notices: [{}] }]
]

flow(
  'a malformed event or notice is refused with all of its request, and later events are taken',
  async (t, scenario) => {
    const { guest, session } = await start(scenario)
    let seq = 1
    for (const [what, status, { events = [], notices = [] }] of MALFORMED) {
      const pushed = { seq, events: [closed(guest, 'beside it'), ...events], notices }
      t.equal(await service?.send(session, pushed), status, what)
      seq += pushed.events.length
      t.equal(await service?.send(session, { seq: seq++, events: [closed(guest, what)], notices: [] }), 204)
      t.match(await guest.who.expectEvent('sfu.transport_closed'), { transportId: what })
    }
  },
  { env }
)

flow(
  'when a node dies between taking session_lost and replacing the session, a repeat replaces it',
  async (t, scenario) => {
    const { host, guest, session } = await start(scenario)
    // What the first of the two commits writes.
    const now = scenario.now()
    await scenario.store.rooms.commit(session.roomId, {
      ...{
        reads: {},
        writes: { sfuEvents: JSON.stringify({ sessionId: session.sessionId, seq: 1 }) },
        participantsMax: 9
      },
      ...{ items: [], tag: 'x', deadlineAt: null, emptyDeadlineAt: now + 1e6, expireInMs: null, node: 'dead', now }
    })
    const events = [{ type: 'session_lost', reason: 'worker_died' }]
    t.equal(await service?.send(session, { seq: 1, events, notices: [] }), 204)
    for (const { who } of [host, guest]) t.match(await who.expectEvent('sfu.reset'), { reason: 'worker_died' })
  },
  { env }
)

flow(
  'the largest push that the contract allows is taken, and a number that no later event can exceed is refused',
  async (t, scenario) => {
    const { host, guest, session } = await start(scenario)
    const id = '\\'.repeat(250)
    const notices = Array.from({ length: 1000 }, (_, i) => ({
      ...{ type: 'score', participantId: guest.id, consumerId: `${id}${i}`, score: 5 }
    }))
    const events = Array.from({ length: 100 }, () => ({
      ...{ type: 'consumer_closed', participantId: 'a-former-participant', consumerId: id }
    }))
    t.equal(await service?.send(session, { seq: 1, events, notices: [] }), 204)
    t.equal(await service?.send(session, { seq: 101, events: [], notices }), 204)
    for (const seq of [1e300, 2 ** 53]) t.equal(await service?.send(session, { seq, events: [], notices: [] }), 400)
    t.equal(await service?.send(session, { seq: 101, events: [closed(host, 'send')], notices: [] }), 204)
    t.match(await host.who.expectEvent('sfu.transport_closed'), { transportId: 'send' })
  },
  { env }
)
