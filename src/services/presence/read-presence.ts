// The current presence of a user, read from their devices and the calls they are in, and its wire forms.
import { nextCheckAt, type PresenceCheck, type PresenceSnapshot, presenceOf } from '../../domain/presence/presence.js'
import type { Presence } from '../../schemas/presence.js'
import type { Lease } from '../../store/leases.js'
import { isLiveCallOf, parseHolder } from '../call/lease-holder.js'
import type { Context } from '../context.js'

export async function readPresence(
  { store, clock, config }: Context,
  user: string
): Promise<Pick<PresenceCheck, 'current' | 'nextCheckAt'>> {
  const now = clock.now()
  const [devices, leases] = await Promise.all([store.mailboxes.devices(user, now), store.leases.list(user)])
  const ttlMs = config.presenceTtlMs
  const active = leases.filter(({ kind }) => kind === 'active')
  const confirmed = await Promise.all(active.map(lease => holdsForLiveCall(store, user, lease)))
  return {
    current: presenceOf(devices, { isBusy: confirmed.includes(true), now, ttlMs }),
    nextCheckAt: nextCheckAt(devices, now, ttlMs)
  }
}

/** A lease alone does not make the user busy: its call may not exist, or may be another caller's. */
async function holdsForLiveCall({ aggregates }: Context['store'], user: string, { holder }: Lease): Promise<boolean> {
  const snapshot = await aggregates.load({ kind: 'call', id: parseHolder(holder).callId })
  return snapshot !== null && isLiveCallOf(JSON.parse(snapshot.state), parseHolder(holder), user)
}

/** For the user themselves. */
export function toOwnPresence(user: string, { state, devices, seenAt }: PresenceSnapshot): Presence {
  return { user, state, devices, lastSeenAt: seenAt === null ? null : new Date(seenAt).toISOString() }
}

const MINUTE_MS = 60_000

/** For others: without the number of devices, and the time to the minute. */
export function toPresence(user: string, { state, seenAt }: Pick<PresenceSnapshot, 'state' | 'seenAt'>): Presence {
  const minute = seenAt === null ? null : new Date(seenAt - (seenAt % MINUTE_MS)).toISOString()
  return { user, state, lastSeenAt: minute }
}

/** For users who may not see this user. The same as for a user who does not exist. */
export const toHiddenPresence = (user: string): Presence => toPresence(user, { state: 'offline', seenAt: null })
