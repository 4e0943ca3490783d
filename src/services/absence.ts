// Whether a device is still there.
import { AppError } from '../errors.js'
import type { Endpoint } from '../schemas/common.js'
import type { Context } from './context.js'

/**
 * Since when a device shows no sign of life; null: it is there. One that was never seen is absent since `otherwise`. Time without
 * the store counts against nobody. @throws AppError store_unavailable while it is away
 */
export async function deviceAbsentSince(
  { store, clock, config }: Context,
  { user, device }: Endpoint,
  otherwise: number
): Promise<number | null> {
  const known = (await store.mailboxes.devices(user, clock.now())).find(({ device: name }) => name === device)
  if (known?.online) return null
  const contact = store.contactSince()
  if (contact === null) throw new AppError('store_unavailable')
  // After an outage open streams need one round of refreshes to be known again.
  const fair = contact + config.presenceTtlMs / 3
  return Math.max(known?.seenAt ?? otherwise, fair)
}
