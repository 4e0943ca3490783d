// Where an error of ioredis becomes store_unavailable or store_full, and the only place that does so.
import { ReplyError } from 'ioredis'
import { AppError } from '../../errors.js'

/**
 * What a Redis that is there but cannot serve now answers with. It fails over (MOVED, READONLY, CLUSTERDOWN, MASTERDOWN,
 * UNBLOCKED), starts (LOADING), moves slots (ASK, TRYAGAIN), runs a script for too long (BUSY), or takes our password no longer
 * (NOAUTH, WRONGPASS, NOPERM): an operator who rotates it must see 503 and a failing /readyz, not a server error for each request.
 */
const AWAY = new Set(
  'MOVED ASK TRYAGAIN CLUSTERDOWN READONLY LOADING MASTERDOWN UNBLOCKED BUSY NOAUTH WRONGPASS NOPERM'.split(' ')
)

/** It serves reads and refuses writes: no memory is left, too few replicas follow, or the last one could not be saved. */
const FULL = new Set(['OOM', 'NOREPLICAS', 'MISCONF'])
/** Nothing but an operator, or time, makes room. */
const FULL_RETRY_MS = 5_000

const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError]

export const unavailable = (cause: unknown): AppError => new AppError('store_unavailable', { cause })

/** ioredis attaches the command with its arguments: passwords, session descriptions and tickets, which must not reach a log. */
export function withoutCommand<T>(error: T): T {
  if (!(error instanceof Error)) return error
  Reflect.deleteProperty(error, 'command')
  // A Cluster that answers nowhere names the last node's error.
  if ('lastNodeError' in error) withoutCommand(error.lastNodeError)
  return error
}

/** store_unavailable or store_full for a fault of the store; a mistake of ours (a wrong type, a broken script) comes back as it is. */
export function toFault(error: unknown): unknown {
  withoutCommand(error)
  if (isFull(error)) return new AppError('store_full', { cause: error, retryAfterMs: FULL_RETRY_MS })
  return isFault(error) ? unavailable(error) : error
}

/** An error reply begins with its code. */
export const hasCode = (error: Error, code: string): boolean => isAnswer(error) && codeOf(error) === code

const isAnswer = (error: Error): boolean => error instanceof ReplyError

const codeOf = (error: Error): string => error.message.split(' ', 1)[0] ?? ''

const isFull = (error: unknown): boolean => error instanceof Error && isAnswer(error) && FULL.has(codeOf(error))

function isFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AppError) return false
  if (isAnswer(error)) return AWAY.has(codeOf(error))
  // What is neither Redis's answer nor our mistake is the connection's: closed, refused, timed out, redirected too often.
  return !MISTAKES.some(mistake => error instanceof mistake)
}
