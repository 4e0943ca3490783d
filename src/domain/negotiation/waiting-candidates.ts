// Bounds of the candidates that wait for their description: several times what a browser gathers.
import type { Candidate } from '../../schemas/signal.js'

export const WAITING_MAX = 256
/** Of the JSON text. A candidate has at most 1 KiB, typically 200 bytes. */
export const WAITING_BYTES_MAX = 65_536
export const WAITING_BOUNDS = `At most ${WAITING_MAX} candidates wait, and ${WAITING_BYTES_MAX} bytes of them`

export const mayWait = (candidates: readonly Candidate[]): boolean =>
  candidates.length <= WAITING_MAX && Buffer.byteLength(JSON.stringify(candidates)) <= WAITING_BYTES_MAX
