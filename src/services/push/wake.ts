// Which devices a new call wakes.
import { AppError } from '../../errors.js'
import type { CalleeRecord } from '../../store/contacts.js'
import type { Context } from '../context.js'

type Callee = Pick<CalleeRecord, 'asleep' | 'isOnline' | 'isBlocked' | 'isKnown'>

const hasReceiver = ({ config }: Context): boolean => config.webhookUrls.some(({ types }) => types.has('push'))

/** A push reaches a device of the callee. */
export const canWake = (context: Context, { asleep }: Pick<Callee, 'asleep'>): boolean =>
  asleep.length > 0 && context.config.pushKey.length > 0 && hasReceiver(context)

/**
 * The devices that are not online and have a subscription, also if others are online. Empty: none has, and none is online, so only the receiver
 * may know how to wake the user. Null: no push is needed.
 */
export function devicesToWake(context: Context, callee: Callee): readonly string[] | null {
  if (callee.isBlocked) return null
  if (canWake(context, callee)) return callee.asleep
  return !callee.isOnline && hasReceiver(context) ? [] : null
}

/** Takes one push from the callee's budget. False: it is spent, and the call rings without one. */
export async function takePush(
  { budgets }: Context,
  user: string,
  { isKnown }: Pick<Callee, 'isKnown'>
): Promise<boolean> {
  try {
    // Strangers must not take the pushes of callers whom the user knows.
    await budgets.spend(user, isKnown ? 'pushes' : 'pushesOfUnknown')
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') return false
    throw error
  }
}
