// Registers devices and records their keepalives. Which requests are keepalives: docs/concepts/mailbox.md. The keepalives of a device are
// written at most once in WRITE_EVERY_MS, so a device that sends many messages costs no extra round trip per message.
import type { LRUCache } from 'lru-cache'
import { AppError } from '../../errors.js'
import { joinIds } from '../../id-text.js'
import type { Actor } from '../../schemas/claims.js'
import type { Cursor } from '../../store/store.js'
import type { ActingDevice } from '../aggregate-rules.js'
import { type Context, perContext } from '../context.js'
import { createLeastRecentlyUsed } from '../least-recently-used.js'
import { schedulePresenceCheck } from '../presence/publish-presence.js'
import { resumeDevice } from './lifecycle.js'

/** Much shorter than a useful AWAY_AFTER_MS, so that a device that acts never seems away. */
const WRITE_EVERY_MS = 2000

interface LastWrite {
  readonly at: number
  readonly expiresAt: number | null
}

/** What this node wrote last, by device. */
interface LastWrites {
  readonly keepalives: LRUCache<string, LastWrite>
  /** Requests that were no keepalives. */
  readonly requests: LRUCache<string, LastWrite>
}

const DEVICES_MAX = 50_000
const lastWritesOf = perContext<LastWrites>(() => ({
  keepalives: createLeastRecentlyUsed(DEVICES_MAX),
  requests: createLeastRecentlyUsed(DEVICES_MAX)
}))

/**
 * Records a keepalive. A new device is registered: its mailbox keeps events from now on, and ringing calls are offered to it.
 * Resolves to the cursor to resume from.
 * @throws AppError too_many_devices, store_unavailable
 */
export async function registerDevice(context: Context, actor: Actor, status?: string): Promise<Cursor> {
  const { user, device, expiresAt } = actor
  const now = context.clock.now()
  const touched = await context.store.mailboxes.touch(user, device, {
    now,
    tag: context.ids.tag(),
    authExpiresAt: expiresAt,
    ...(status === undefined ? {} : { status })
  })
  if (touched === null) throw new AppError('too_many_devices')
  lastWritesOf(context).keepalives.set(keyOf(actor), { at: now, expiresAt })
  // Awaited: a device that registers by accepting a call must get the offer before its accept ends the ringing.
  if (touched.created) {
    schedulePresenceCheck(context, user)
    await resumeDevice(context, actor, { since: touched.head }).catch(error =>
      context.log.debug({ err: error }, 'ringing calls not offered')
    )
  }
  return touched.head
}

/** Makes the following commit the device's keepalive. Undefined if the last one was written less than WRITE_EVERY_MS ago. */
export function keepaliveIfDue(context: Context, actor: Actor): ActingDevice | undefined {
  return isDue(context, actor) ? actingDevice(context, actor) : undefined
}

function actingDevice(context: Context, actor: Actor): ActingDevice {
  const { user, device, expiresAt } = actor
  const renewed = () => void lastWritesOf(context).keepalives.set(keyOf(actor), { at: context.clock.now(), expiresAt })
  return { user, device, expiresAt, renewed }
}

/** Makes the following commit the device's keepalive. If the device is not registered, the commit registers it first. */
export function actAs(context: Context, actor: Actor) {
  let registeredAt: Cursor | null = null
  const acting: ActingDevice = {
    ...actingDevice(context, actor),
    async register() {
      registeredAt = await registerDevice(context, actor)
    }
  }
  return {
    acting,
    /**
     * Where the device's stream has to start to miss no event of the call. `head`: the newest event of the device's mailbox after the commit;
     * null: not read.
     */
    cursor: async (head: Cursor | null): Promise<Cursor> => registeredAt ?? head ?? registerDevice(context, actor)
  }
}

function isDue(context: Context, actor: Actor): boolean {
  const last = lastWritesOf(context).keepalives.peek(keyOf(actor))
  return !last || context.clock.now() - last.at >= WRITE_EVERY_MS || isLater(actor.expiresAt, last.expiresAt)
}

/** Returns at once and never throws. A token that expires later is passed on to the device's open stream. */
export function recordKeepalive(context: Context, actor: Actor): void {
  if (!isDue(context, actor)) return
  const key = keyOf(actor)
  const { keepalives } = lastWritesOf(context)
  keepalives.set(key, { at: context.clock.now(), expiresAt: actor.expiresAt })
  registerDevice(context, actor).catch(error => {
    keepalives.delete(key)
    context.log.debug({ err: error }, 'keepalive not written')
  })
}

/**
 * Records a request that is no keepalive: every request acknowledges the heartbeats of the device's stream, and extends the stream if its
 * token expires later. Returns at once and never throws.
 */
export function recordRequest(context: Context, actor: Actor): void {
  const { keepalives, requests } = lastWritesOf(context)
  const { user, device, expiresAt } = actor
  const key = keyOf(actor)
  const now = context.clock.now()
  // Often enough to record one request between any two heartbeats.
  const recentAt = now - Math.min(WRITE_EVERY_MS, context.config.heartbeatMs / 2)
  const isRecorded = (last?: LastWrite) => last && last.at > recentAt && !isLater(expiresAt, last.expiresAt)
  if (isRecorded(keepalives.peek(key)) || isRecorded(requests.peek(key))) return
  requests.set(key, { at: now, expiresAt })
  context.store.mailboxes.recordRequest(user, device, { now, authExpiresAt: expiresAt }).catch(error => {
    requests.delete(key)
    context.log.debug({ err: error }, 'request not recorded')
  })
}

const isLater = (expiresAt: number | null, other: number | null) => (expiresAt ?? Infinity) > (other ?? Infinity)

const keys = new WeakMap<Actor, string>()

/** Cached per actor object, which requests with the same token share: hashing a new string costs more than this look-up. */
function keyOf(actor: Actor): string {
  const known = keys.get(actor)
  if (known !== undefined) return known
  const key = joinIds(actor.user, actor.device)
  keys.set(actor, key)
  return key
}
