// What two decisions that were made on the same room do to each other: one of them is made again if it has to be.
import t from 'tap'
import {
  invite,
  partsOfEnd,
  partsOfInvite,
  RINGING_MAX,
  type WholeRoom,
  withAllEnded
} from '../../src/domain/invitation.js'
import { join } from '../../src/domain/room.js'
import { PART, type RoomDecision } from '../../src/domain/room-state.js'
import type { Actor } from '../../src/schemas/claims.js'
import { T0 } from '../helpers/calls.js'

const actorOf = (user: string): Actor => ({ user, device: 'phone', expiresAt: null })
const seatOf = (user: string) => ({
  actor: actorOf(user),
  participantId: `p-${user}`,
  metadata: {},
  replace: false,
  maxParticipants: 100
})
const asking = (...users: string[]) => ({
  actor: actorOf('alice'),
  invitees: users.map(user => ({ user, invitationId: `i-${user}` })),
  metadata: {},
  ringMs: 30_000
})

function roomOf(...decisions: readonly RoomDecision[]): WholeRoom {
  const parts = new Map(decisions.flatMap(({ writes }) => Object.entries(writes)))
  const get = <T>(part: string) => (parts.get(part) ?? null) as T | null
  return {
    roomId: 'r1',
    version: decisions.length,
    seats: 1,
    settings: get(PART.settings),
    emptySince: null,
    get,
    list: <T>(prefix: string) =>
      [...parts]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, part]) => [name.slice(prefix.length), part as T])
  }
}

const made = join(roomOf(), seatOf('alice'), T0)
const room = roomOf(made)

t.test('an invitation and the end of the room never both stand on the same room', async t => {
  const { writes } = invite(room, asking('bob'), T0)
  t.ok(partsOfEnd(room).some(part => part in writes))
  const rings = roomOf(made, { writes, events: [] })
  t.ok(partsOfEnd(rings).includes(PART.invited('bob')), 'nor does an answer')
})

t.test('two invitations of one user in one moment are one', async t => {
  const { writes } = invite(room, asking('bob'), T0)
  t.ok(partsOfInvite(asking('bob')).some(part => part in writes))
  t.same(invite(roomOf(made, { writes, events: [] }), asking('bob'), T0).events, [])
})

t.test('as many may ring as one commit can end', async t => {
  const users = Array.from({ length: RINGING_MAX }, (_, i) => `u${i}`)
  const full = roomOf(made, invite(room, asking(...users), T0))
  t.throws(() => invite(full, asking('bob'), T0), { code: 'too_many_invitations' })
  t.equal(withAllEnded(full, { writes: {}, events: [], over: true }, null, T0).events.length, 2 * RINGING_MAX)
})
