// What two decisions that were made on the same room do to each other: one of them is made again if it has to be.
import t from 'tap'
import { end, invite, partsOfEnd, partsOfInvite } from '../../src/domain/room/invitation.js'
import { METADATA_BYTES_MAX } from '../../src/domain/room/invitation-bounds.js'
import { join } from '../../src/domain/room/participants.js'
import { type Invitation, PART, type RoomDecision, type RoomParts } from '../../src/domain/room/state.js'
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
  ringMs: 30_000,
  bounds: { perRoom: 6, perInviter: 4 }
})

function roomOf(...decisions: readonly RoomDecision[]): RoomParts {
  const written = new Map(decisions.flatMap(({ writes }) => Object.entries(writes)))
  const parts = new Map([...written].filter(([, part]) => part !== null))
  const get = <T>(part: string) => (parts.get(part) ?? null) as T | null
  return {
    roomId: 'r1',
    version: decisions.length,
    memberCount: 1,
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

t.test('what rings is bounded: in a room, by one inviter, and in bytes of metadata', async t => {
  const crowd = roomOf(made, join(room, seatOf('eve'), T0))
  const four = roomOf(made, join(room, seatOf('eve'), T0), invite(crowd, asking('a', 'b', 'c', 'd'), T0))
  t.throws(() => invite(four, asking('e'), T0), { code: 'too_many_invitations' }, 'four of alice')
  const ofEve = (...users: string[]) => ({ ...asking(...users), actor: actorOf('eve') })
  t.equal(invite(four, ofEve('e', 'f'), T0).events.length, 2)
  t.throws(() => invite(four, ofEve('e', 'f', 'g'), T0), { code: 'too_many_invitations' }, 'six in the room')
  const metadata = { note: 'x'.repeat(METADATA_BYTES_MAX / 2) }
  t.equal(invite(crowd, { ...asking('a'), metadata }, T0).events.length, 1)
  t.throws(() => invite(crowd, { ...asking('a', 'b'), metadata }, T0), { code: 'too_many_invitations' })
})

t.test('an invitation that has ended keeps no metadata, and the oldest of these make room', async t => {
  let parts = [made]
  const metadata = { topic: 'lunch' }
  for (let n = 0; n < 40; n++) {
    const now = T0 + n
    const rung = invite(roomOf(...parts), { ...asking(`u${n}`), metadata }, now)
    parts = [...parts, rung]
    const { [PART.invited(`u${n}`)]: invitation } = rung.writes
    const over = end(invitation as Invitation, { reason: 'declined', by: null, at: now })
    t.match(over.writes, { [PART.invited(`u${n}`)]: { metadata: {} } })
    parts = [...parts, over]
  }
  const kept = roomOf(...parts).list<Invitation>(PART.invited(''))
  t.same(
    kept.map(([user]) => user),
    Array.from({ length: 12 }, (_, n) => `u${n + 28}`),
    'twice as many as may ring'
  )
  t.equal(roomOf(...parts).list(PART.invite('')).length, 12, 'and as many ids')
})
