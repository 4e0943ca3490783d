// The rules of updating a participant: its role, its metadata, and requests to mute.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Role, UpdateParticipantRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { revokeMedia } from '../sfu/revocation.js'
import { grantsOf, requireAccess } from './access.js'
import { ownParticipantId, participantsOf, writeParticipant } from './participants.js'
import { roomUser } from './room-user.js'
import {
  mergeDecisions,
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type RoomUser
} from './state.js'

interface ParticipantUpdate {
  readonly actor: Actor
  readonly target: ParticipantRecord
  readonly body: UpdateParticipantRequest
}

/**
 * A role applies to all devices of the user. What they may not send any more is closed. Reads partsOfAccess, the parts of the target user with
 * all devices and, if the role changes, partsOfRevocation.
 * @throws AppError not_permitted and what requireAccess throws
 */
export function decideUpdate(parts: RoomParts, { actor, target, body }: ParticipantUpdate, now: number): RoomDecision {
  const isOwn = actor.user === target.user && actor.device === target.device
  const { role, metadata, mute } = body
  requireAccess(isOwn && role === undefined ? 'takePart' : 'moderate', parts, { actor, now })
  const isHost =
    target.role === 'host' || participantsOf(parts, target.user).some(participant => participant.role === 'host')
  if (role !== undefined && (role === 'host' || isHost)) requireAccess('manage', parts, { actor, now })
  if (metadata !== undefined && !isOwn)
    throw new AppError('not_permitted', { detail: 'Only the participant itself may change its metadata' })
  const by = endpoint(actor)
  const except = ownParticipantId(parts, actor)
  const described: ParticipantRecord = metadata === undefined ? target : { ...target, metadata }
  const decision =
    role !== undefined
      ? assignRole(parts, described, { role, by, except })
      : metadata === undefined
        ? NO_CHANGE
        : writeParticipant(described, by, except)
  if (mute === undefined) return decision
  const asked: RoomEvent = {
    to: { user: target.user, device: target.device },
    type: 'room.mute_requested',
    data: { participantId: target.participantId, mute, by }
  }
  return { ...decision, events: [...decision.events, asked] }
}

interface RoleChange {
  readonly role: Role
  readonly by: Endpoint
  readonly except: string | undefined
}

function assignRole(parts: RoomParts, target: ParticipantRecord, { role, by, except }: RoleChange): RoomDecision {
  const { user, device, claimed } = target
  const others = participantsOf(parts, user).filter(each => each.device !== device)
  const grants = grantsOf(role, undefined)
  const decisions = [target, ...others].map(participant =>
    mergeDecisions(
      writeParticipant({ ...participant, role }, by, except),
      participant.role === role ? NO_CHANGE : revokeMedia(parts, participant, { grants, by })
    )
  )
  const record: RoomUser = { ...roomUser(parts, user), role, assigned: { role, claimed } }
  return mergeDecisions({ writes: { [PART.user(user)]: record }, events: [] }, ...decisions)
}
