// What two decisions that were made on the same room do to each other: one of them is made again if it has to be.
import t from 'tap'
import { decideInvite, partsOfInvite } from '../../src/domain/room/invitation.js'
import { METADATA_BYTES_MAX } from '../../src/domain/room/invitation-bounds.js'
import { endInvitation, partsOfEnd } from '../../src/domain/room/invitation-end.js'
import { decideJoin } from '../../src/domain/room/participants.js'
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
    participantCount: 1,
    settings: get(PART.settings),
    emptySince: null,
    get,
    list: <T>(prefix: string) =>
      [...parts]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, part]) => [name.slice(prefix.length), part as T])
  }
}

const made = decideJoin(roomOf(), seatOf('alice'), T0)
const room = roomOf(made)

t.test('an invitation and the end of the room never both stand on the same room', async t => {
  const { writes } = decideInvite(room, asking('bob'), T0)
  t.ok(partsOfEnd(room).some(part => part in writes))
  const rings = roomOf(made, { writes, events: [] })
  t.ok(partsOfEnd(rings).includes(PART.invitation('bob')), 'nor does an answer')
})

t.test('two invitations of one user in one moment are one', async t => {
  const { writes } = decideInvite(room, asking('bob'), T0)
  t.ok(partsOfInvite(asking('bob')).some(part => part in writes))
  t.same(decideInvite(roomOf(made, { writes, events: [] }), asking('bob'), T0).events, [])
})

t.test('what rings is bounded: in a room, by one inviter, and in bytes of metadata', async t => {
  const crowd = roomOf(made, decideJoin(room, seatOf('eve'), T0))
  const four = roomOf(made, decideJoin(room, seatOf('eve'), T0), decideInvite(crowd, asking('a', 'b', 'c', 'd'), T0))
  t.throws(() => decideInvite(four, asking('e'), T0), { code: 'too_many_invitations' }, 'four of alice')
  const ofEve = (...users: string[]) => ({ ...asking(...users), actor: actorOf('eve') })
  t.equal(decideInvite(four, ofEve('e', 'f'), T0).events.length, 2)
  t.throws(() => decideInvite(four, ofEve('e', 'f', 'g'), T0), { code: 'too_many_invitations' }, 'six in the room')
  const metadata = { note: 'x'.repeat(METADATA_BYTES_MAX / 2) }
  t.equal(decideInvite(crowd, { ...asking('a'), metadata }, T0).events.length, 1)
  t.throws(() => decideInvite(crowd, { ...asking('a', 'b'), metadata }, T0), { code: 'too_many_invitations' })
})

t.test('an invitation that has ended keeps no metadata, and the oldest of these make room', async t => {
  let parts = [made]
  const metadata = { topic: 'lunch' }
  for (let n = 0; n < 40; n++) {
    const now = T0 + n
    const rung = decideInvite(roomOf(...parts), { ...asking(`u${n}`), metadata }, now)
    parts = [...parts, rung]
    const { [PART.invitation(`u${n}`)]: invitation } = rung.writes
    const over = endInvitation(invitation as Invitation, { reason: 'declined', by: null, at: now })
    t.match(over.writes, { [PART.invitation(`u${n}`)]: { metadata: {} } })
    parts = [...parts, over]
  }
  const kept = roomOf(...parts).list<Invitation>(PART.invitation(''))
  t.same(
    kept.map(([user]) => user),
    Array.from({ length: 12 }, (_, n) => `u${n + 28}`),
    'twice as many as may ring'
  )
  t.equal(roomOf(...parts).list(PART.invitationOwner('')).length, 12, 'and as many ids')
})
