// Actions that cost nothing if they change something: hang-up, cancel and reject of a call, leaving a room or removing a participant,
// decline and cancel of an invitation, signing a device off, and stopping to watch. If they change nothing, or are refused, they are charged
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
