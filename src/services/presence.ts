// One presence from all devices of a user, and the snapshot.
import { formatCursor } from '../delivery/cursor.js'
import type { Actor } from '../schemas/claims.js'
import type { Presence, PresenceBody, Snapshot } from '../schemas/presence.js'
import type { DeviceState } from '../store/store.js'
import { listCalls } from './calls.js'
import type { Context } from './context.js'
import { listInvitations } from './ringing.js'
import { listRooms } from './rooms.js'
import { registerDevice } from './sign-of-life.js'

/** A heartbeat of a device without a stream, and what its person wants shown. Registers the device. */
export async function putPresence(context: Context, actor: Actor, { status }: PresenceBody): Promise<Presence> {
  await registerDevice(context, actor, status)
  return lookUpPresence(context, actor.user)
}

/** Signs the device off: it no longer rings, its mailbox is gone and its stream ends. */
export async function deletePresence(context: Context, { user, device }: Actor): Promise<void> {
  await context.store.mailboxes.remove(user, device)
}

export async function lookUpPresences(context: Context, users: readonly string[]): Promise<Presence[]> {
  return Promise.all([...new Set(users)].map(user => lookUpPresence(context, user)))
}

async function lookUpPresence(context: Context, user: string): Promise<Presence> {
  const { store, clock, config } = context
  const now = clock.now()
  const [devices, leases] = await Promise.all([store.mailboxes.devices(user, now), store.leases.list(user)])
  const here = devices.filter(({ online, seenAt }) => online || now - seenAt < config.presenceTtlMs)
  const lastSeenAt =
    devices.length === 0 ? null : new Date(Math.max(...devices.map(({ seenAt }) => seenAt))).toISOString()
  return { user, state: stateOf(here, leases.length), devices: here.length, lastSeenAt }
}

function stateOf(here: readonly DeviceState[], leases: number): Presence['state'] {
  if (here.length === 0) return 'offline'
  if (leases > 0) return 'busy'
  return here.every(({ status }) => status === 'away') ? 'away' : 'online'
}

/** The cursor is taken first: whatever happens while the rest is read comes after it. */
export async function takeSnapshot(context: Context, actor: Actor): Promise<Snapshot> {
  const cursor = await registerDevice(context, actor)
  const [calls, rooms, invitations, presence] = await Promise.all([
    listCalls(context, actor),
    listRooms(context, actor),
    listInvitations(context, actor.user),
    lookUpPresence(context, actor.user)
  ])
  return { cursor: formatCursor(cursor), calls, rooms, invitations, presence }
}
