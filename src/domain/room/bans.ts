// The rules of bans. A ban applies to all devices of a user and outlives the room.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import { isCreator, partsOfAccess, requireAccess } from './access.js'
import { hiddenOfUser, leaveHidden } from './hidden.js'
import { withdrawInvitation } from './invitation-end.js'
import { leaveWithDevices, ownParticipantId, participantsOf } from './participants.js'
import { roomUser } from './room-user.js'
import { type BanRecord, mergeDecisions, NO_CHANGE, PART, type RoomDecision, type RoomParts } from './state.js'

interface BanCommand {
  readonly actor: Actor
  readonly user: string
  /** Null: until the ban is removed. */
  readonly forMs: number | null
}

/** The parts of access, and all parts of the user. */
export const partsOfBan = (parts: RoomParts, { actor, user }: Pick<BanCommand, 'actor' | 'user'>): string[] => [
  ...partsOfAccess(actor),
  ...partsOfBanned(parts, user)
]

/** All parts of a user who is banned. `parts` has PART.user. */
export const partsOfBanned = (parts: RoomParts, user: string): string[] => [
  ...[PART.user(user), PART.ban(user), PART.invitation(user)],
  ...roomUser(parts, user).devices.map(device => PART.participantOf({ user, device })),
  ...(roomUser(parts, user).hidden ?? []).map(device => PART.hiddenOf({ user, device }))
]

/**
 * Removes all devices of the user and withdraws their invitation. Banning a host requires `manage`, as removing one does; so does banning
 * the creator while they are not in the room.
 * @throws AppError not_permitted and what requireAccess throws
 */
export function decideBan(parts: RoomParts, { actor, user, forMs }: BanCommand, now: number): RoomDecision {
  requireAccess(isHost(parts, user) ? 'manage' : 'moderate', parts, { actor, now })
  if (user === actor.user) throw new AppError('not_permitted', { detail: 'You cannot ban yourself' })
  return ban(parts, { user, forMs, by: endpoint(actor), except: ownParticipantId(parts, actor) }, now)
}

interface BanBy extends Omit<BanCommand, 'actor'> {
  /** Null: an operator, who may ban anyone. */
  readonly by: Endpoint | null
  /** The participant who gets no event. */
  readonly except?: string | undefined
}

/** Reads PART.settings and partsOfBanned. */
export function ban(parts: RoomParts, { user, forMs, by, except }: BanBy, now: number): RoomDecision {
  const record: BanRecord = { by, at: now, until: forMs === null ? null : now + forMs }
  const removal = leaveWithDevices(parts, participantsOf(parts, user), { reason: 'removed', by, now, except })
  const decision = mergeDecisions(
    removal,
    { writes: { [PART.ban(user)]: record }, events: [] },
    hiddenLeave(parts, removal, { user, by })
  )
  return withdrawInvitation(parts, decision, { user, by, now })
}

/** The user's hidden devices leave too. `removal` may have written what the room keeps of the user. */
function hiddenLeave(
  parts: RoomParts,
  { writes }: RoomDecision,
  { user, by }: { readonly user: string; readonly by: Endpoint | null }
): RoomDecision {
  const part = PART.user(user)
  const after = {
    ...parts,
    get: <T>(name: string) => ((name === part && writes[part]) || parts.get<T>(name)) as T | null
  }
  return leaveHidden(after, hiddenOfUser(parts, user), { reason: 'removed', by })
}

function isHost(parts: RoomParts, user: string): boolean {
  const participants = participantsOf(parts, user)
  if (participants.length > 0) return participants.some(({ role }) => role === 'host')
  return (roomUser(parts, user).assigned?.role ?? (isCreator(parts, user) ? 'host' : null)) === 'host'
}

/** @throws AppError not_permitted and what requireAccess throws */
export function decideUnban(parts: RoomParts, { actor, user }: Omit<BanCommand, 'forMs'>, now: number): RoomDecision {
  requireAccess('moderate', parts, { actor, now })
  return unban(parts, user)
}

/** Reads PART.ban. */
export const unban = (parts: RoomParts, user: string): RoomDecision =>
  parts.get(PART.ban(user)) === null ? NO_CHANGE : { writes: { [PART.ban(user)]: null }, events: [] }
