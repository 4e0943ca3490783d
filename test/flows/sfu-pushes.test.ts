// What a media service pushes: in order, once, and only with the secret and for the session that the room is on.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  meetOnMedia,
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
    t.equal(await service?.send(session, { ...pushed, events: [{ type: 'transport_closed' }] }), 400)
    t.equal(await service?.send(session, pushed), 204)
    await guest.who.expectEvent('sfu.transport_closed')
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
