// What a room keeps of its invitations, and how much of it.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import { type Invitation, PART, type RoomParts } from './state.js'

const invitationsIn = (room: RoomParts): Invitation[] =>
  room.list<Invitation>(PART.invitation('')).map(([, each]) => each)

export const ringingInvitations = (room: RoomParts): Invitation[] =>
  invitationsIn(room).filter(({ ended }) => ended === null)

/** Bytes of the metadata of all invitations of a room that ring. */
export const METADATA_BYTES_MAX = 262_144
/** An ended invitation answers repeats for this long; one that was accepted passes the lock for the retention. */
const ENDED_KEEP_MS = 120_000

export interface InviteBounds {
  /** Invitations that may ring in a room at once; at most as many that have ended are kept beside them. */
  readonly perRoom: number
  /** Those of one inviter. */
  readonly perInviter: number
}

interface InvitationRequest {
  readonly actor: Endpoint
  readonly metadata: Invitation['metadata']
  readonly bounds: InviteBounds
  /** How many more are to ring. */
  readonly added: number
}

/** @throws AppError too_many_invitations */
export function requireRoomForInvitations(
  room: RoomParts,
  { actor, metadata, bounds, added }: InvitationRequest
): void {
  const rings = ringingInvitations(room)
  const own = rings.filter(({ from }) => from.user === actor.user)
  const refuse = (detail: string) => new AppError('too_many_invitations', { detail })
  if (rings.length + added > bounds.perRoom) throw refuse(`At most ${bounds.perRoom} ring in a room at once`)
  if (own.length + added > bounds.perInviter) throw refuse(`At most ${bounds.perInviter} of one inviter ring at once`)
  const bytes = rings.reduce((sum, each) => sum + bytesOf(each.metadata), added * bytesOf(metadata))
  if (bytes > METADATA_BYTES_MAX) throw refuse(`Their metadata is larger than ${METADATA_BYTES_MAX} bytes`)
}

const bytesOf = (metadata: Invitation['metadata']) => Buffer.byteLength(JSON.stringify(metadata))

/** What has ended makes room, the oldest first. */
export function dropOldestEnded(room: RoomParts, bounds: InviteBounds, added: number): Record<string, null> {
  const kept = invitationsIn(room)
  const excess = kept.length + added - 2 * bounds.perRoom
  if (excess <= 0) return {}
  const ended = kept.filter(each => each.ended !== null).sort((a, b) => (a.ended?.at ?? 0) - (b.ended?.at ?? 0))
  return Object.assign({}, ...ended.slice(0, excess).map(forgetInvitation))
}

export const forgetInvitation = ({ user, invitationId }: Invitation): Record<string, null> => ({
  [PART.invitation(user)]: null,
  [PART.invitationOwner(invitationId)]: null
})

/** When it ends by itself, or is forgotten. */
export function dueAt({ ended, until }: Invitation, retentionMs: number): number {
  if (ended === null) return until
  return ended.at + (ended.reason === 'accepted' ? retentionMs : Math.min(retentionMs, ENDED_KEEP_MS))
}
