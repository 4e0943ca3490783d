// Keeping a user out of a room. A ban holds for the user, whatever their devices, and it outlives the room.

import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import { endpoint } from '../endpoint.js'
import { isCreator, partsOfAccess, requireAccess, roomUser } from './access.js'
import { withdrawInvitation } from './invitation.js'
import { leaveWithDevices, ownParticipantId, participantsOf } from './participants.js'
import { type Banned, NO_CHANGE, PART, type RoomDecision, type RoomParts } from './state.js'

interface BanCommand {
  readonly actor: Actor
  readonly user: string
  /** Null: until unbanned. */
  readonly forMs: number | null
}

/** What a ban reads: what access does, and all of the user's. */
export const partsOfBan = (parts: RoomParts, { actor, user }: Pick<BanCommand, 'actor' | 'user'>): string[] => [
  ...partsOfAccess(actor),
  ...[PART.user(user), PART.ban(user), PART.invitation(user)],
  ...roomUser(parts, user).devices.map(device => PART.participantOf({ user, device }))
]

/**
 * All the user's devices leave with it, and no invitation lets them in. A host is as safe from it as from being put out, and so
 * is the creator while they are out. @throws AppError not_permitted and what access throws
 */
export function decideBan(parts: RoomParts, { actor, user, forMs }: BanCommand, now: number): RoomDecision {
  const participants = participantsOf(parts, user)
  requireAccess(isHost(parts, user) ? 'manage' : 'moderate', parts, { actor, now })
  if (user === actor.user) throw new AppError('not_permitted', { detail: 'You cannot ban yourself' })
  const by = endpoint(actor)
  const banned: Banned = { by, at: now, until: forMs === null ? null : now + forMs }
  const out = leaveWithDevices(parts, participants, {
    reason: 'removed',
    by,
    now,
    except: ownParticipantId(parts, actor)
  })
  return withdrawInvitation(parts, { ...out, writes: { ...out.writes, [PART.ban(user)]: banned } }, { user, by, now })
}

function isHost(parts: RoomParts, user: string): boolean {
  const participants = participantsOf(parts, user)
  if (participants.length > 0) return participants.some(({ role }) => role === 'host')
  return (roomUser(parts, user).given?.role ?? (isCreator(parts, user) ? 'host' : null)) === 'host'
}

/** @throws AppError not_permitted and what access throws */
export function decideUnban(parts: RoomParts, { actor, user }: Omit<BanCommand, 'forMs'>, now: number): RoomDecision {
  requireAccess('moderate', parts, { actor, now })
  return parts.get(PART.ban(user)) === null ? NO_CHANGE : { writes: { [PART.ban(user)]: null }, events: [] }
}
