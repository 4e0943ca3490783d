// Keeping a user out of a room. A ban holds for the user, whatever their devices, and it outlives the room.

import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import { endpoint } from '../endpoint.js'
import { isCreator, mustBeAllowed, partsOfAccess, userIn } from './access.js'
import { withdrawInvitation } from './invitation.js'
import { leaveAll, membersOf, participantOf } from './participants.js'
import { type Banned, NOTHING, PART, type RoomDecision, type RoomParts } from './state.js'

interface Ban {
  readonly actor: Actor
  readonly user: string
  /** Null: until unbanned. */
  readonly forMs: number | null
}

/** What a ban reads: what access does, and all of the user's. */
export const partsOfBan = (parts: RoomParts, { actor, user }: Pick<Ban, 'actor' | 'user'>): string[] => [
  ...partsOfAccess(actor),
  ...[PART.user(user), PART.ban(user), PART.invited(user)],
  ...userIn(parts, user).devices.map(device => PART.member({ user, device }))
]

/**
 * All the user's devices leave with it, and no invitation lets them in. A host is as safe from it as from being put out, and so
 * is the creator while they are out. @throws AppError not_permitted and what access throws
 */
export function ban(parts: RoomParts, { actor, user, forMs }: Ban, now: number): RoomDecision {
  const members = membersOf(parts, user)
  mustBeAllowed(isHost(parts, user) ? 'manage' : 'moderate', parts, { actor, now })
  if (user === actor.user) throw new AppError('not_permitted', { detail: 'You cannot ban yourself' })
  const by = endpoint(actor)
  const banned: Banned = { by, at: now, until: forMs === null ? null : now + forMs }
  const out = leaveAll(parts, members, { reason: 'removed', by, now, except: participantOf(parts, actor) })
  return withdrawInvitation(parts, { ...out, writes: { ...out.writes, [PART.ban(user)]: banned } }, { user, by, now })
}

function isHost(parts: RoomParts, user: string): boolean {
  const members = membersOf(parts, user)
  if (members.length > 0) return members.some(({ role }) => role === 'host')
  return (userIn(parts, user).given?.role ?? (isCreator(parts, user) ? 'host' : null)) === 'host'
}

/** @throws AppError not_permitted and what access throws */
export function unban(parts: RoomParts, { actor, user }: Omit<Ban, 'forMs'>, now: number): RoomDecision {
  mustBeAllowed('moderate', parts, { actor, now })
  return parts.get(PART.ban(user)) === null ? NOTHING : { writes: { [PART.ban(user)]: null }, events: [] }
}
