// Ids that clients choose must not begin with the prefix of ids derived from an Idempotency-Key.
import { AppError } from '../errors.js'
import { DERIVED_ID_PREFIX } from '../ids.js'

export type ChosenIdName =
  | 'callId'
  | 'invitationId'
  | 'messageId'
  | 'transportId'
  | 'producerId'
  | 'consumerId'
  | 'dataProducerId'
  | 'dataConsumerId'

/** @throws AppError invalid_request for an id with that prefix: it could equal the id derived for another request */
export function refuseDerivedId(name: ChosenIdName, id: string | undefined): void {
  if (!id?.startsWith(DERIVED_ID_PREFIX)) return
  throw new AppError('invalid_request', { detail: `${name} must not begin with ${DERIVED_ID_PREFIX}` })
}
