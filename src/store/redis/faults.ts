// Maps errors of ioredis to store_unavailable and store_full. No other file does.
import { ReplyError } from 'ioredis'
import { AppError } from '../../errors.js'

/**
 * Error replies of a Redis that cannot serve now: it fails over (MOVED, READONLY, CLUSTERDOWN, MASTERDOWN, UNBLOCKED), starts (LOADING),
 * moves slots (ASK, TRYAGAIN), runs a script for too long (BUSY), or rejects the password (NOAUTH, WRONGPASS, NOPERM). An operator who
 * rotates the password sees 503 and a failing /readyz, not a 500 for each request.
 */
const AWAY = new Set(
  'MOVED ASK TRYAGAIN CLUSTERDOWN READONLY LOADING MASTERDOWN UNBLOCKED BUSY NOAUTH WRONGPASS NOPERM'.split(' ')
)

/** It serves reads and refuses writes: out of memory, too few replicas, or the last snapshot could not be saved. */
const FULL = new Set(['OOM', 'NOREPLICAS', 'MISCONF'])
/** Only an operator, or time, can fix it. */
const FULL_RETRY_MS = 5_000

const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError]

export const unavailable = (cause: unknown): AppError => new AppError('store_unavailable', { cause })

/** Removes the command and its arguments, which ioredis attaches: passwords, session descriptions and tickets must not be logged. */
export function withoutCommand<T>(error: T): T {
  if (!(error instanceof Error)) return error
  Reflect.deleteProperty(error, 'command')
  // ioredis nests the last node's error when no node of a Cluster answers.
  if ('lastNodeError' in error) withoutCommand(error.lastNodeError)
  return error
}

/** Returns store_unavailable or store_full for a fault of the store. A bug of ours (a wrong type, a broken script) is returned as it is. */
export function toFault(error: unknown): unknown {
  withoutCommand(error)
  if (isFull(error)) return new AppError('store_full', { cause: error, retryAfterMs: FULL_RETRY_MS })
  return isFault(error) ? unavailable(error) : error
}

/** An error reply begins with its code. */
export const hasCode = (error: Error, code: string): boolean => isReply(error) && codeOf(error) === code

const isReply = (error: Error): boolean => error instanceof ReplyError

const codeOf = (error: Error): string => error.message.split(' ', 1)[0] ?? ''

const isFull = (error: unknown): boolean => error instanceof Error && isReply(error) && FULL.has(codeOf(error))

function isFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AppError) return false
  if (isReply(error)) return AWAY.has(codeOf(error))
  // Everything else comes from the connection: closed, refused, timed out, redirected too often.
  return !BUGS.some(bug => error instanceof bug)
}
