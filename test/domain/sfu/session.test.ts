import t from 'tap'
import type { RoomDecision } from '../../../src/domain/room/state.js'
import { PART, type Settings } from '../../../src/domain/room/state.js'
import {
  failOpening,
  finishOpening,
  type NextPlacement,
  placeSession,
  replaceSession,
  type SfuSession
} from '../../../src/domain/sfu/session.js'
import { actorOf, RoomFixture, T0 } from '../../helpers/room-fixture.js'

const next: NextPlacement = {
  sessionId: 's2',
  service: 'm2:1',
  instance: 'i2',
  placedAt: T0,
  openingBy: 'n1',
  openingUntil: T0 + 2000
}
const place = { sessionId: 's1', service: 'm1:1', instance: 'i1', placedAt: T0 }
const SESSIONS = {
  none: null,
  open: { ...place, state: 'open' },
  opening: { ...place, state: 'opening', openingBy: 'n1', openingUntil: T0 + 1000 },
  late: { ...place, state: 'opening', openingBy: 'n1', openingUntil: T0 },
  foreign: { ...place, state: 'opening', openingBy: 'n2', openingUntil: T0 + 1000 },
  unavailable: { state: 'unavailable', sessionId: null }
} as const satisfies Record<string, SfuSession | null>

interface Room {
  readonly session: keyof typeof SESSIONS
  readonly participants?: number
  readonly settings?: Partial<Settings>
}

function roomOf({ session, participants = 4, settings = {} }: Room): RoomFixture {
  const room = new RoomFixture()
  for (let i = 0; i < participants; i++) room.join(actorOf(`user${i}`))
  room.attempt(({ settings: before }) => ({
    writes: {
      [PART.settings]: { ...(before as Settings), mode: 'sfu', ...settings },
      [PART.sfu]: SESSIONS[session]
    },
    events: []
  }))
  return room
}

/** What a decision makes of the room: the session, the mode if it changes, and the events. */
function describe({ writes, events }: RoomDecision): string {
  const session = writes[PART.sfu] as SfuSession | undefined
  const mode = (writes[PART.settings] as Settings | undefined)?.mode
  const told = events.map(({ type, data }) => `${type}${data.sessionId ? `(${data.sessionId})` : ''}`)
  return (
    [session && `${session.state} ${session.sessionId ?? ''}`.trim(), mode, ...told].filter(Boolean).join(', ') ||
    'nothing'
  )
}

type Case = readonly [room: Room, expected: string]
const fellBack = { mode: 'p2p', fellBack: true } as const

const PLACED: readonly Case[] = [
  [{ session: 'none' }, 'opening s2'],
  [{ session: 'open' }, 'nothing'],
  [{ session: 'opening' }, 'nothing'],
  [{ session: 'late' }, 'opening s2, sfu.reset(s2)'],
  [{ session: 'unavailable' }, 'opening s2, sfu.available(s2)'],
  [{ session: 'unavailable', settings: fellBack }, 'opening s2, sfu, room.updated, sfu.available(s2)'],
  [{ session: 'none', settings: { mode: 'p2p' } }, 'nothing'],
  [{ session: 'none', settings: { closed: 'closed' } }, 'nothing']
]

t.test('a session is placed where a service is up', async t => {
  for (const [room, expected] of PLACED) {
    t.equal(describe(placeSession(roomOf(room).parts, next, T0)), expected, JSON.stringify(room))
  }
})

const WITHOUT_SERVICE: readonly Case[] = [
  [{ session: 'none' }, 'unavailable, sfu.unavailable'],
  [{ session: 'none', participants: 3 }, 'unavailable, p2p, sfu.unavailable, room.updated'],
  [{ session: 'none', participants: 3, settings: { p2pFallback: false } }, 'unavailable, sfu.unavailable'],
  [{ session: 'late' }, 'unavailable, sfu.unavailable'],
  [{ session: 'opening' }, 'nothing'],
  [{ session: 'unavailable' }, 'nothing'],
  [{ session: 'unavailable', participants: 3 }, 'p2p, room.updated'],
  [{ session: 'unavailable', participants: 3, settings: { p2pFallback: false } }, 'nothing'],
  [{ session: 'unavailable', participants: 3, settings: fellBack }, 'nothing']
]

t.test('without a service the session is unavailable, and a small room falls back to p2p', async t => {
  for (const [room, expected] of WITHOUT_SERVICE) {
    t.equal(describe(placeSession(roomOf(room).parts, null, T0)), expected, JSON.stringify(room))
  }
})

const REPLACED: readonly [...Case, lost: string][] = [
  [{ session: 'open' }, 'opening s2, sfu.reset(s2)', 's1'],
  [{ session: 'opening' }, 'opening s2, sfu.reset(s2)', 's1'],
  [{ session: 'open' }, 'nothing', 's0'],
  [{ session: 'unavailable' }, 'nothing', 's1'],
  [{ session: 'open', settings: { mode: 'p2p' } }, 'nothing', 's1'],
  [{ session: 'open', settings: { closed: 'closed' } }, 'nothing', 's1']
]

t.test('a lost session is replaced, once', async t => {
  for (const [room, expected, sessionId] of REPLACED) {
    const loss = { sessionId, reason: 'service_lost' } as const
    t.equal(describe(replaceSession(roomOf(room).parts, loss, next)), expected, `${JSON.stringify(room)} ${sessionId}`)
  }
})

const FINISHED: readonly Case[] = [
  [{ session: 'opening' }, 'open s1'],
  [{ session: 'late' }, 'open s1'],
  [{ session: 'foreign' }, 'nothing'],
  [{ session: 'open' }, 'nothing'],
  [{ session: 'none' }, 'nothing'],
  [{ session: 'unavailable' }, 'nothing']
]

t.test('only the node that opens a session finishes it', async t => {
  for (const [room, expected] of FINISHED) {
    const opened = { sessionId: 's1', openingBy: 'n1' }
    t.equal(describe(finishOpening(roomOf(room).parts, opened)), expected, JSON.stringify(room))
  }
})

t.test('when the service fails, the next one is tried, or the session is released', async t => {
  const failed = { sessionId: 's1', openingBy: 'n1' }
  const { parts } = roomOf({ session: 'opening' })
  t.equal(describe(failOpening(parts, { failed, next }, T0)), 'opening s2, sfu.reset(s2)')
  const released = failOpening(parts, { failed, next: null }, T0)
  t.match(released.writes[PART.sfu], { state: 'opening', sessionId: 's1', openingBy: null, openingUntil: T0 })
  t.equal(released.deadlineAt, T0 + 2000)
  t.equal(describe(failOpening(roomOf({ session: 'foreign' }).parts, { failed, next }, T0)), 'nothing')
})

t.test('when a room falls back, each participant learns before whom it stands', async t => {
  const room = roomOf({ session: 'open', participants: 3 })
  // As the store returns them: by key.
  const heads = room
    .participants()
    .map(({ user, device, participantId }, since) => ({ user, device, participantId, since }))
  const parts = {
    ...room.parts,
    list: <T>() => [...heads].reverse().map(head => [head.participantId, head as T] as const)
  }
  const { events } = replaceSession(parts, { sessionId: 's1', reason: 'worker_died' }, null)
  t.strictSame(events.at(-1)?.data, {
    changes: { mode: 'p2p' },
    by: null,
    offerOrder: heads.map(({ participantId }) => participantId)
  })
})
