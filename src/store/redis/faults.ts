// Where an error of ioredis becomes store_unavailable, and the only place that does so.
import { ReplyError } from 'ioredis'
import { AppError } from '../../errors.js'

/**
 * What a Redis that is there but cannot serve now answers with. It fails over (MOVED, READONLY, CLUSTERDOWN, MASTERDOWN,
 * UNBLOCKED, NOREPLICAS), starts (LOADING), moves slots (ASK, TRYAGAIN), or refuses for its own health (BUSY, OOM, MISCONF).
 */
const AWAY = new Set(
  'MOVED ASK TRYAGAIN CLUSTERDOWN READONLY LOADING MASTERDOWN UNBLOCKED NOREPLICAS BUSY OOM MISCONF'.split(' ')
)

const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError]

export const unavailable = (cause: unknown): AppError => new AppError('store_unavailable', { cause })

/** store_unavailable for a fault of the store; a mistake of ours (a wrong type, a broken script) comes back as it is. */
export function toFault(error: unknown): unknown {
  // ioredis attaches the command with its arguments: session descriptions and tickets, which must not reach a log.
  if (error instanceof Error) Reflect.deleteProperty(error, 'command')
  return isFault(error) ? unavailable(error) : error
}

/** An error reply begins with its code. */
export const hasCode = (error: Error, code: string): boolean => isAnswer(error) && codeOf(error) === code

const isAnswer = (error: Error): boolean => error instanceof ReplyError

const codeOf = (error: Error): string => error.message.split(' ', 1)[0] ?? ''

function isFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AppError) return false
  if (isAnswer(error)) return AWAY.has(codeOf(error))
  // What is neither Redis's answer nor our mistake is the connection's: closed, refused, timed out, redirected too often.
  return !MISTAKES.some(mistake => error instanceof mistake)
}
