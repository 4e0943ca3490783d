// The push subscriptions of devices: stored encrypted, opened only to send a push.
import { expiryOf, type PushSubscription, readSubscription } from '../../domain/push/subscription.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { SetPushSubscriptionRequest } from '../../schemas/push.js'
import { type Context, perContext } from '../context.js'
import { createSealer, type Sealer } from './sealing.js'

const sealers = perContext<{ sealer?: Sealer }>(() => ({}))

/** Null without PUSH_KEY. */
function sealerOf(context: Context): Sealer | null {
  if (context.config.pushKey.length === 0) return null
  const kept = sealers(context)
  kept.sealer ??= createSealer(context.config.pushKey)
  return kept.sealer
}

/** @throws AppError no_push without PUSH_KEY; invalid_request */
export async function setPushSubscription(
  context: Context,
  { user, device }: Actor,
  body: SetPushSubscriptionRequest
): Promise<void> {
  const sealer = sealerOf(context)
  if (sealer === null) throw new AppError('no_push')
  const { store, clock, config } = context
  const now = clock.now()
  const sealed = sealer.seal(JSON.stringify(readSubscription(body)), { user, device })
  const subscription = { device, sealed, expiresAt: expiryOf(body, now) }
  await store.pushSubscriptions.put(user, subscription, { now, max: config.maxDevicesPerUser })
}

/** Works without PUSH_KEY too: what was stored before goes. */
export function removePushSubscription({ store }: Context, { user, device }: Actor): Promise<void> {
  return store.pushSubscriptions.remove(user, device)
}

export interface OpenedSubscription {
  readonly device: string
  readonly subscription: PushSubscription
  /** As it is stored, which names it when it is removed. */
  readonly sealed: string
}

/** Those of the devices, without the ones that PUSH_KEY does not open. */
export async function openSubscriptions(
  context: Context,
  user: string,
  devices: readonly string[]
): Promise<OpenedSubscription[]> {
  const sealer = sealerOf(context)
  if (sealer === null) return []
  const kept = await context.store.pushSubscriptions.list(user, context.clock.now())
  return devices.flatMap(device => {
    const sealed = kept.get(device)
    if (sealed === undefined) return []
    const text = sealer.open(sealed, { user, device })
    if (text === null) {
      context.log.warn({ user, device }, 'push subscription not opened: PUSH_KEY lacks the key that it was stored with')
      return []
    }
    return [{ device, sealed, subscription: JSON.parse(text) as PushSubscription }]
  })
}
