// Ids that clients choose, as opposed to those made from an Idempotency-Key.
import { AppError } from '../errors.js'
import { DERIVED_ID_PREFIX } from '../ids.js'

/** @throws AppError invalid_request when the id lies where ids from keys do: nobody may take one of those first */
export function refuseDerivedId(name: 'callId' | 'invitationId' | 'messageId', id: string | undefined): void {
  if (!id?.startsWith(DERIVED_ID_PREFIX)) return
  throw new AppError('invalid_request', { detail: `${name} must not begin with ${DERIVED_ID_PREFIX}` })
}
