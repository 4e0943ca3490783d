import { AppError } from '../errors.js'

export const METADATA_MAX_BYTES = 4096

/** @throws AppError invalid_request: a JSON Schema cannot bound the size of a whole object. */
export function checkMetadata(metadata: unknown): void {
  if (metadata === undefined || Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_MAX_BYTES) return
  throw new AppError('invalid_request', { detail: `metadata is larger than ${METADATA_MAX_BYTES} bytes as JSON` })
}
