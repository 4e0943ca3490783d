// Actions that are never limited as long as something comes of them: hang-up, cancel, reject, leaving. A repeat, and an action that is
// refused, changes nothing and is charged as a read.
import type { Actor } from '../schemas/claims.js'
import type { Context } from './context.js'

export interface FreeResult<T> {
  readonly result: T
  /** It changed nothing. */
  readonly isRepeat: boolean
}

/** @throws AppError whatever the action throws; rate_limited when it came to nothing and the user has no reads left */
export async function free<T>(context: Context, actor: Actor, action: () => Promise<FreeResult<T>>): Promise<T> {
  const charge = () => context.budgets.spend(actor.user, 'reads')
  const { result, isRepeat } = await action().catch(async error => {
    await charge()
    throw error
  })
  if (isRepeat) await charge()
  return result
}
