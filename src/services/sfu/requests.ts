// What the requests of participants to the media service have in common: the ids they choose, and the parts of the room that they read.
import { partsOfAccess } from '../../domain/room/access.js'
import { PART } from '../../domain/room/state.js'
import { idFromKey } from '../../ids.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { type ChosenIdName, refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import type { RoomPath } from '../room/paths.js'

/** The header of a request that creates something. */
export interface Creation {
  readonly idempotencyKey?: string | undefined
}

interface ChosenId extends RoomPath, Creation {
  readonly name: ChosenIdName
  readonly id: string | undefined
}

/** The id that the client chose, or the one that is derived from its Idempotency-Key, or a new one. @throws AppError invalid_request */
export function mediaIdOf(context: Context, actor: Actor, { name, id, roomId, idempotencyKey }: ChosenId): string {
  refuseDerivedId(name, id)
  return id ?? (idempotencyKey ? idFromKey(actor.user, idempotencyKey, roomId) : context.ids.unique())
}

/** The parts of access, of the session, and of what the device itself sends. */
export const partsOfOwnMedia = (actor: Endpoint): string[] => [
  ...partsOfAccess(actor),
  PART.sfu,
  PART.producersOf(actor),
  PART.unsettledMediaOf(actor)
]

/** The parts that decideClose reads. */
export const partsOfClose = ({ actor, participantId }: { readonly actor: Actor; readonly participantId: string }) => [
  ...partsOfAccess(actor),
  PART.sfu,
  ...partsOfSender(participantId),
  PART.unsettledMediaOfParticipant(participantId)
]

/** The parts of a participant that sends something, besides those of access. */
export const partsOfSender = (participantId: string): string[] => [
  PART.participant(participantId),
  PART.producersOfParticipant(participantId)
]
