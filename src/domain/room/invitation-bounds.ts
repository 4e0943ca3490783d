// How many invitations a room keeps, and for how long.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import { type Invitation, PART, type RoomParts } from './state.js'

const invitationsIn = (room: RoomParts): Invitation[] =>
  room.list<Invitation>(PART.invitation('')).map(([, each]) => each)

export const ringingInvitations = (room: RoomParts): Invitation[] =>
  invitationsIn(room).filter(({ ended }) => ended === null)

/** Of all ringing invitations of a room together, as JSON. */
export const METADATA_BYTES_MAX = 262_144
/**
 * How long an ended invitation is kept to answer repeats. One that was accepted is kept for RETENTION_MS: it lets its user join a locked
 * room.
 */
const ENDED_KEEP_MS = 120_000

export interface InviteBounds {
  /** Invitations that may ring in a room at once. With the ended ones, a room keeps at most twice as many. */
  readonly perRoom: number
  /** Invitations of one inviter that may ring in a room at once. */
  readonly perInviter: number
}

interface InvitationRequest {
  readonly actor: Endpoint
  readonly metadata: Invitation['metadata']
  readonly bounds: InviteBounds
  /** How many invitations of the request are new. */
  readonly added: number
}

/** @throws AppError too_many_invitations */
export function requireRoomForInvitations(
  room: RoomParts,
  { actor, metadata, bounds, added }: InvitationRequest
): void {
  const ringing = ringingInvitations(room)
  const own = ringing.filter(({ from }) => from.user === actor.user)
  const refuse = (detail: string) => new AppError('too_many_invitations', { detail })
  if (ringing.length + added > bounds.perRoom) throw refuse(`At most ${bounds.perRoom} ring in a room at once`)
  if (own.length + added > bounds.perInviter) throw refuse(`At most ${bounds.perInviter} of one inviter ring at once`)
  const bytes = ringing.reduce((sum, each) => sum + bytesOf(each.metadata), added * bytesOf(metadata))
  if (bytes > METADATA_BYTES_MAX) throw refuse(`Their metadata is larger than ${METADATA_BYTES_MAX} bytes`)
}

const bytesOf = (metadata: Invitation['metadata']) => Buffer.byteLength(JSON.stringify(metadata))

/** Makes room for new invitations: deletes ended ones, oldest first. */
export function deleteOldestEnded(room: RoomParts, bounds: InviteBounds, added: number): Record<string, null> {
  const all = invitationsIn(room)
  const excess = all.length + added - 2 * bounds.perRoom
  if (excess <= 0) return {}
  const ended = all.filter(each => each.ended !== null).sort((a, b) => (a.ended?.at ?? 0) - (b.ended?.at ?? 0))
  return Object.assign({}, ...ended.slice(0, excess).map(deleteInvitation))
}

export const deleteInvitation = ({ user, invitationId }: Invitation): Record<string, null> => ({
  [PART.invitation(user)]: null,
  [PART.invitationOwner(invitationId)]: null
})

/** When a ringing invitation expires, or an ended one is deleted. */
export function dueAt({ ended, until }: Invitation, retentionMs: number): number {
  if (ended === null) return until
  return ended.at + (ended.reason === 'accepted' ? retentionMs : Math.min(retentionMs, ENDED_KEEP_MS))
}
