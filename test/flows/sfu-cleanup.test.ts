// The media service closes what participants had who have left, and the session of a room that closes or leaves mode sfu.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  MEDIA_SECRET,
  meetOnMedia,
  passUntil,
  sessionIn,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import type { Session } from '../helpers/media-sessions.js'
import type { JoinedClient } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'

const media = await startMedia(1, { timeoutMs: 400 })
const { env, services } = media
const [service] = services
t.teardown(() => closeMedia(media))

/** Three participants, each with a transport. */
async function start(
  scenario: Scenario
): Promise<{ joined: [JoinedClient, JoinedClient, JoinedClient]; session: Session }> {
  await connect(scenario, media)
  const joined = (await meetOnMedia(await addClients(scenario, 3))) as [JoinedClient, JoinedClient, JoinedClient]
  const sessionId = await sessionOf(joined[0].who)
  for (const { who } of joined) await scenario.advanceDuring(who.post('rooms/r1/sfu/transports', { transportId: 't' }))
  if (!service) throw new Error('there is no service')
  const session = sessionIn(service, sessionId)
  t.equal(session.participants.size, 3)
  return { joined, session }
}

const untilGone = ({ participants }: Session, { id }: JoinedClient) =>
  until('the service has closed what the participant had', () => !participants.has(id))

interface Departure {
  readonly how: string
  depart(host: JoinedClient, leaver: JoinedClient, scenario: Scenario): Promise<unknown>
  /** The events of the host, of the other participant and of the one that leaves. */
  readonly events: readonly [host: readonly string[], other: readonly string[], leaver: readonly string[]]
}

const [JOINED, UPDATED, LEFT] = ['room.participant_joined', 'room.participant_updated', 'room.participant_left']

const DEPARTURES: readonly Departure[] = [
  {
    how: 'leaves',
    depart: (_, { who, id }) => who.request('DELETE', `rooms/r1/participants/${id}`),
    events: [[LEFT], [LEFT], []]
  },
  {
    how: 'is removed',
    depart: (host, { id }) => host.who.request('DELETE', `rooms/r1/participants/${id}`),
    events: [[], [LEFT], [LEFT]]
  },
  {
    how: 'is banned',
    depart: (host, { id }) => host.who.request('DELETE', `rooms/r1/participants/${id}?ban=true`),
    events: [[], [LEFT], [LEFT]]
  },
  {
    how: 'joins anew',
    depart: (_, { who }) => who.request('POST', 'rooms/r1/participants', { replace: true }),
    events: [[LEFT, JOINED], [LEFT, JOINED], []]
  },
  {
    how: 'is lost',
    depart: async (_, { who }, scenario) => {
      await who.closeStream()
      await scenario.advance(16_000)
      await who.openStream()
    },
    events: [[UPDATED, LEFT], [UPDATED, LEFT], [LEFT]]
  }
]

for (const { how, depart, events } of DEPARTURES) {
  flow(
    `when a participant ${how}, the service closes what it had, and nothing of others`,
    async (t, scenario) => {
      const { joined, session } = await start(scenario)
      const [host, leaver, other] = joined
      await depart(host, leaver, scenario)
      await untilGone(session, leaver)
      t.strictSame(new Set(session.participants.keys()), new Set([host.id, other.id]))
      await Promise.all([host, other, leaver].map(({ who }, i) => who.expectEvents(...(events[i] ?? []))))
    },
    { env }
  )
}

for (const fault of ['hang', 'error'] as const) {
  flow(
    `when the service fails with the fault ${fault} while a participant leaves, it is asked again two seconds later`,
    async (t, scenario) => {
      const { joined, session } = await start(scenario)
      const [host, leaver] = joined
      const repair = service?.inject('keepParticipants', fault)
      await host.who.request('DELETE', `rooms/r1/participants/${leaver.id}`)
      await until('the service was asked', () => service?.countOf('keepParticipants'))
      repair?.()
      await passUntil(scenario, 'it is asked again', () => !session.participants.has(leaver.id))
      t.equal(session.participants.size, 2)
      for (const { who } of joined.slice(1)) await who.expectEvent(LEFT)
    },
    { env }
  )
}

flow(
  'when a request of a participant is executed after the participant was removed, what it made is closed',
  async (t, scenario) => {
    const { joined, session } = await start(scenario)
    const [host, leaver] = joined
    // As a request that was on its way while the participant was removed.
    const late = `${service?.url}/sessions/${session.sessionId}/participants/${leaver.id}/transports/late`
    await host.who.request('DELETE', `rooms/r1/participants/${leaver.id}`)
    await untilGone(session, leaver)
    const headers = { authorization: `Bearer ${MEDIA_SECRET}`, 'content-type': 'application/json' }
    await fetch(late, { method: 'PUT', headers, body: JSON.stringify({ since: 1 }) })
    t.ok(session.participants.has(leaver.id))
    const removedAt = scenario.now()
    await passUntil(scenario, 'it is closed', () => !session.participants.has(leaver.id))
    t.ok(scenario.now() - removedAt < 3000)
    for (const { who } of joined.slice(1)) await who.expectEvent(LEFT)
  },
  { env }
)

flow(
  'when the node that committed a leave dies before it asks the service, another one asks',
  async (t, scenario) => {
    const { joined, session } = await start(scenario)
    const now = scenario.now()
    const roomId = scenario.toWire('r1')
    const room = await scenario.store.rooms.load(roomId, ['participant:'])
    const [part] = [...(room?.fields ?? [])].find(([, { value }]) => value.includes(joined[1].id)) ?? []
    // What a leave writes, without what follows it.
    await scenario.store.rooms.commit(roomId, {
      ...{ reads: {}, writes: { [String(part)]: null }, participantsMax: 9, items: [], tag: 'x' },
      ...{ deadlineAt: now + 2000, emptyDeadlineAt: now + 1e6, expireInMs: null, node: 'dead', now }
    })
    await passUntil(scenario, 'it is asked', () => !session.participants.has(joined[1].id))
    t.ok(scenario.now() - now <= 4000)
  },
  { env }
)

flow(
  'when a room closes, its session is deleted, and a later room with this id has another one',
  async (t, scenario) => {
    const { joined, session } = await start(scenario)
    await joined[0].who.request('DELETE', 'rooms/r1')
    await until('the session is gone', () => !service?.sessions.has(session.sessionId))
    for (const { who } of joined.slice(1)) await who.expectEvent('room.closed')
    t.match(await joined[0].who.request('GET', 'rooms/r1/sfu/capabilities'), {
      status: 409,
      body: { code: 'room_closed' }
    })
  },
  { env }
)

flow(
  'when a room is empty for long enough, its session is deleted, and the next room with this id has another one',
  async (t, scenario) => {
    const { joined, session } = await start(scenario)
    for (const { who, id } of joined) await who.request('DELETE', `rooms/r1/participants/${id}`)
    await passUntil(scenario, 'the session is gone', () => !service?.sessions.has(session.sessionId))
    const [host] = joined
    await host.who.request('PUT', 'rooms/r1', { mode: 'sfu' })
    await host.who.post('rooms/r1/participants')
    t.not(await sessionOf(host.who), session.sessionId)
    const [, second, third] = joined
    await second.who.expectEvent(LEFT)
    await third.who.expectEvents(LEFT, LEFT)
  },
  { env }
)

flow(
  'a room in which nothing happens is checked every minute, which keeps its session',
  async (t, scenario) => {
    const { session } = await start(scenario)
    if (service) service.requests.length = 0
    for (let minute = 1; minute <= 3; minute++) await scenario.advance(60_000)
    const kept = service?.requests.filter(({ path }) => path === `/sessions/${session.sessionId}/participants`) ?? []
    t.ok(kept.length >= 3, `${kept.length} times in three minutes`)
    t.match(kept.at(-1)?.body, { participants: { length: 3 } })
    t.equal(session.participants.size, 3)
  },
  { env }
)
