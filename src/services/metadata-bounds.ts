// Bounds of metadata that a JSON Schema cannot express: the size of the whole object and its depth.
import { AppError } from '../errors.js'

export const METADATA_MAX_BYTES = 4096
/** Deep nesting overflows the stack of recursive functions, JSON.stringify included. */
export const METADATA_MAX_DEPTH = 16

/** @throws AppError too_large */
export function checkMetadata(metadata: unknown): void {
  if (metadata === undefined) return
  if (isDeeperThan(metadata, METADATA_MAX_DEPTH)) {
    throw new AppError('too_large', { detail: `metadata nests deeper than ${METADATA_MAX_DEPTH} levels` })
  }
  if (Buffer.byteLength(JSON.stringify(metadata)) > METADATA_MAX_BYTES) {
    throw new AppError('too_large', { detail: `metadata is larger than ${METADATA_MAX_BYTES} bytes as JSON` })
  }
}

/** An object or array is one level more than its deepest member. Never recurses further than `levels`. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (isDeeperThan(member, levels - 1)) return true
  }
  return false
}
