// Whom a request calls.
import type { Static } from 'typebox'
import { AppError } from '../../errors.js'
import type { CallTargetOfSeveral, CallTo } from '../../schemas/callee.js'

export interface CallTargetOf {
  readonly user: string
  /** The only device to ring; null: all devices of the user. */
  readonly device: string | null
  /** Null: that of the request. */
  readonly ringMs: number | null
}

export function targetsIn(to: CallTo): CallTargetOf[] {
  const targets = Array.isArray(to) ? to : [to]
  return targets.map(target => {
    if (typeof target === 'string') return { user: target, device: null, ringMs: null }
    const { user, device, ringTimeoutMs }: Static<typeof CallTargetOfSeveral> = target
    return { user, device: device ?? null, ringMs: ringTimeoutMs ?? null }
  })
}

/** @throws AppError cannot_call_self, invalid_request if a user is named twice */
export function requireTargets(caller: string, to: CallTo): CallTargetOf[] {
  const targets = targetsIn(to)
  const users = targets.map(({ user }) => user)
  if (users.includes(caller)) throw new AppError('cannot_call_self')
  if (new Set(users).size < users.length) {
    throw new AppError('invalid_request', { detail: 'body/to must not name a user twice' })
  }
  return targets
}
