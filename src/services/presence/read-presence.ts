// What a user's presence is at this moment, from all their devices and the calls they are in.
import { lapsesAt, presenceOf, type Shown } from '../../domain/presence/presence.js'
import type { Presence } from '../../schemas/presence.js'
import type { Lease } from '../../store/leases.js'
import { isBehind, parseHolder } from '../call/lease-holder.js'
import type { Context } from '../context.js'

/** `nextAt`: when to look again though nothing was heard. */
export async function lookUp(
  { store, clock, config }: Context,
  user: string
): Promise<{ shown: Shown; nextAt: number }> {
  const now = clock.now()
  const [devices, leases] = await Promise.all([store.mailboxes.devices(user, now), store.leases.list(user)])
  const { presenceTtlMs } = config
  const active = leases.filter(({ kind }) => kind === 'active')
  const confirmed = await Promise.all(active.map(lease => holdsForLiveCall(store, user, lease)))
  return {
    shown: presenceOf(devices, { isBusy: confirmed.includes(true), now, ttlMs: presenceTtlMs }),
    nextAt: lapsesAt(devices, now, presenceTtlMs)
  }
}

/** A lease alone makes nobody busy: its call may not exist, or may be another caller's. */
async function holdsForLiveCall({ aggregates }: Context['store'], user: string, { holder }: Lease): Promise<boolean> {
  const snapshot = await aggregates.load({ kind: 'call', id: parseHolder(holder).callId })
  return snapshot !== null && isBehind(JSON.parse(snapshot.state), parseHolder(holder), user)
}

/** As the user sees themselves. */
export function toOwnPresence(user: string, { state, devices, seenAt }: Shown): Presence {
  return { user, state, devices, lastSeenAt: seenAt === null ? null : new Date(seenAt).toISOString() }
}

const MINUTE_MS = 60_000

/** As others see them: no number of devices, and no time to the millisecond. */
export function toPresence(user: string, { state, seenAt }: Pick<Shown, 'state' | 'seenAt'>): Presence {
  const minute = seenAt === null ? null : new Date(seenAt - (seenAt % MINUTE_MS)).toISOString()
  return { user, state, lastSeenAt: minute }
}

/** As those see them who may not, and what a user gives who does not exist. */
export const toHiddenPresence = (user: string): Presence => toPresence(user, { state: 'offline', seenAt: null })
