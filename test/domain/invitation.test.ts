// Invitations: which concurrent decisions conflict, and what bounds the invitations of a room.
import t from 'tap'
import { decideInvite, partsOfInvite } from '../../src/domain/room/invitation.js'
import { METADATA_BYTES_MAX } from '../../src/domain/room/invitation-bounds.js'
import { endInvitation, partsOfEnd } from '../../src/domain/room/invitation-end.js'
import { decideJoin } from '../../src/domain/room/participants.js'
import { type Invitation, PART, type RoomDecision, type RoomParts } from '../../src/domain/room/state.js'
import type { Actor } from '../../src/schemas/claims.js'
import { T0 } from '../helpers/calls.js'

const actorOf = (user: string): Actor => ({ user, device: 'phone', expiresAt: null })
const joinOf = (user: string) => ({
  actor: actorOf(user),
  participantId: `p-${user}`,
  metadata: {},
  replace: false,
  maxParticipants: 100
})
const inviteOf = (...users: string[]) => ({
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

const created = decideJoin(roomOf(), joinOf('alice'), T0)
const room = roomOf(created)

t.test('when a room ends while a user is invited, one of the two commits conflicts', async t => {
  const { writes } = decideInvite(room, inviteOf('bob'), T0)
  t.ok(partsOfEnd(room).some(part => part in writes))
  const ringing = roomOf(created, { writes, events: [] })
  t.ok(partsOfEnd(ringing).includes(PART.invitation('bob')), 'an answer conflicts with the end too')
})

t.test('when a user is invited twice at the same moment, the second invitation changes nothing', async t => {
  const { writes } = decideInvite(room, inviteOf('bob'), T0)
  t.ok(partsOfInvite(inviteOf('bob')).some(part => part in writes))
  t.same(decideInvite(roomOf(created, { writes, events: [] }), inviteOf('bob'), T0).events, [])
})

t.test(
  'when too many invitations ring, in a room, of one inviter or in bytes of metadata, a new one is refused',
  async t => {
    const crowd = roomOf(created, decideJoin(room, joinOf('eve'), T0))
    const four = roomOf(
      created,
      decideJoin(room, joinOf('eve'), T0),
      decideInvite(crowd, inviteOf('a', 'b', 'c', 'd'), T0)
    )
    t.throws(() => decideInvite(four, inviteOf('e'), T0), { code: 'too_many_invitations' }, 'four of alice')
    const ofEve = (...users: string[]) => ({ ...inviteOf(...users), actor: actorOf('eve') })
    t.equal(decideInvite(four, ofEve('e', 'f'), T0).events.length, 2)
    t.throws(() => decideInvite(four, ofEve('e', 'f', 'g'), T0), { code: 'too_many_invitations' }, 'six in the room')
    const metadata = { note: 'x'.repeat(METADATA_BYTES_MAX / 2) }
    t.equal(decideInvite(crowd, { ...inviteOf('a'), metadata }, T0).events.length, 1)
    t.throws(() => decideInvite(crowd, { ...inviteOf('a', 'b'), metadata }, T0), { code: 'too_many_invitations' })
  }
)

t.test('when too many ended invitations are kept, the oldest are deleted; none keeps its metadata', async t => {
  let parts = [created]
  const metadata = { topic: 'lunch' }
  for (let n = 0; n < 40; n++) {
    const now = T0 + n
    const rung = decideInvite(roomOf(...parts), { ...inviteOf(`u${n}`), metadata }, now)
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
