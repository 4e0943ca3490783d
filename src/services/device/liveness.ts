// Whether a device is still there.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { DeviceState } from '../../store/store.js'
import type { Context } from '../context.js'

/** A device is there, until then unless it shows another sign of life; or it has shown none since. */
export type DeviceLiveness = { readonly thereUntil: number } | { readonly absentSince: number }

/**
 * How it stands with a device, given what is known of its user's. One that was never seen is absent since `otherwise`. Time without
 * the store counts against nobody. @throws AppError store_unavailable while it is away
 */
export function livenessOf(
  context: Context,
  device: string,
  { devices, otherwise }: { devices: readonly DeviceState[]; otherwise: number }
): DeviceLiveness {
  const known = devices.find(each => each.device === device)
  if (known?.online) return { thereUntil: known.onlineUntil }
  return { absentSince: Math.max(known?.seenAt ?? otherwise, graceStart(context)) }
}

/**
 * From when on time counts against anybody: not while the store was away, and after an outage open streams need one round of
 * refreshes to be known again. @throws AppError store_unavailable while it is away
 */
export function graceStart({ store, config }: Context): number {
  const contact = store.availableSince()
  if (contact === null) throw new AppError('store_unavailable')
  return contact + Math.ceil(config.presenceTtlMs / 3)
}

/** Since when a device shows no sign of life; null: it is there. @throws AppError store_unavailable */
export async function deviceAbsentSince(
  context: Context,
  { user, device }: Endpoint,
  otherwise: number
): Promise<number | null> {
  const devices = await context.store.mailboxes.devices(user, context.clock.now())
  const standing = livenessOf(context, device, { devices, otherwise })
  return 'absentSince' in standing ? standing.absentSince : null
}
