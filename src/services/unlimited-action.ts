// Actions that are not rate limited while they change something: hang-up, cancel, reject, leave. A repeat, and a refused action, is charged
// as a read.
import type { Actor } from '../schemas/claims.js'
import type { Context } from './context.js'

export interface UnlimitedResult<T> {
  readonly result: T
  /** It changed nothing. */
  readonly isRepeat: boolean
}

/** @throws AppError whatever the action throws; rate_limited if it changed nothing and the user's budget of reads is spent */
export async function runUnlimited<T>(
  context: Context,
  actor: Actor,
  action: () => Promise<UnlimitedResult<T>>
): Promise<T> {
  const charge = () => context.budgets.spend(actor.user, 'reads')
  const { result, isRepeat } = await action().catch(async error => {
    await charge()
    throw error
  })
  if (isRepeat) await charge()
  return result
}
