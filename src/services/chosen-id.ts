// Ids that clients choose. Those derived from an Idempotency-Key have a prefix of their own.
import { AppError } from '../errors.js'
import { DERIVED_ID_PREFIX } from '../ids.js'

/** @throws AppError invalid_request for an id with that prefix: it could be another request's derived id */
export function refuseDerivedId(name: 'callId' | 'invitationId' | 'messageId', id: string | undefined): void {
  if (!id?.startsWith(DERIVED_ID_PREFIX)) return
  throw new AppError('invalid_request', { detail: `${name} must not begin with ${DERIVED_ID_PREFIX}` })
}
