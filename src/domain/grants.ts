// Who may do what in a room: the token's claim `rooms` first, then the role of the participant, then the room's default.
import { AppError } from '../errors.js'
import type { Actor, Grant, RoomClaim } from '../schemas/claims.js'
import type { Role } from '../schemas/room.js'
import { type Invitation, PART, type RoomParts } from './room-state.js'

const ROLE_GRANTS: Readonly<Record<Role, readonly Grant[]>> = {
  host: ['join', 'signal', 'chat', 'publish', 'moderate', 'manage'],
  moderator: ['join', 'signal', 'chat', 'publish', 'moderate'],
  speaker: ['join', 'signal', 'chat', 'publish'],
  listener: ['join', 'signal', 'chat']
}

/** What the token says of this room; undefined when it says nothing of rooms at all. @throws AppError not_permitted */
export function claimFor(actor: Pick<Actor, 'rooms'>, roomId: string): RoomClaim | undefined {
  if (actor.rooms === undefined) return undefined
  // Its own properties: a room may be called `constructor`.
  const name = [roomId, '*'].find(each => Object.hasOwn(actor.rooms ?? {}, each))
  const claim = name === undefined ? undefined : actor.rooms[name]
  if (claim === undefined) throw new AppError('not_permitted', { detail: 'The token is for other rooms' })
  return claim
}

/** Throws unless somebody of this role, with this claim, may do it. @throws AppError not_permitted */
export function mustBeGranted(grant: Grant, role: Role | null, claim: RoomClaim | undefined): void {
  const grants = claim?.grants ?? (role === null ? [] : ROLE_GRANTS[role])
  if (!grants.includes(grant)) throw new AppError('not_permitted', { detail: `It takes the grant ${grant}` })
}

export const isGranted = (grant: Grant, role: Role | null, claim: RoomClaim | undefined): boolean =>
  (claim?.grants ?? (role === null ? [] : ROLE_GRANTS[role])).includes(grant)

/** The lock is open to whoever was asked in and said yes, or says so by joining. */
export function isAskedIn(parts: RoomParts, user: string): boolean {
  const invitation = parts.get<Invitation>(PART.invited(user))
  return invitation !== null && (invitation.ended === null || invitation.ended.reason === 'accepted')
}
