// Device liveness.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { DeviceState } from '../../store/store.js'
import type { Context } from '../context.js'

/** Live until then unless it sends another keepalive, or absent since then. */
export type DeviceLiveness = { readonly liveUntil: number } | { readonly absentSince: number }

/**
 * `devices` are those of its user. A device that was never seen is absent since `otherwise`.
 * @throws AppError store_unavailable while the store is unavailable
 */
export function livenessOf(
  context: Context,
  device: string,
  { devices, otherwise }: { devices: readonly DeviceState[]; otherwise: number }
): DeviceLiveness {
  const state = devices.find(each => each.device === device)
  if (state?.online) return { liveUntil: state.onlineUntil }
  return { absentSince: Math.max(state?.seenAt ?? otherwise, absenceCountsFrom(context)) }
}

/**
 * Absence counts from this instant at the earliest: a third of PRESENCE_TTL_MS after the store became available, in which all open
 * streams are refreshed once.
 * @throws AppError store_unavailable while the store is unavailable
 */
export function absenceCountsFrom({ store, config }: Context): number {
  const availableSince = store.availableSince()
  if (availableSince === null) throw new AppError('store_unavailable')
  return availableSince + Math.ceil(config.presenceTtlMs / 3)
}

/** Null: the device is live. @throws AppError store_unavailable */
export async function deviceAbsentSince(
  context: Context,
  { user, device }: Endpoint,
  otherwise: number
): Promise<number | null> {
  const devices = await context.store.mailboxes.devices(user, context.clock.now())
  const liveness = livenessOf(context, device, { devices, otherwise })
  return 'absentSince' in liveness ? liveness.absentSince : null
}
