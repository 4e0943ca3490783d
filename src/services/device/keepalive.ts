// Taking part registers a device, and every successful POST is a sign of life. Written at most once in a while,
// so that a busy sender costs no extra round trip a message.
import { LRUCache } from 'lru-cache'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Cursor } from '../../store/store.js'
import type { ActingDevice } from '../aggregate-rules.js'
import { type Context, perContext } from '../context.js'
import { schedulePresenceCheck } from '../presence/publish-presence.js'
import { resumeDevice } from './lifecycle.js'

/** A good deal shorter than AWAY_AFTER_MS can usefully be. */
const WRITE_EVERY_MS = 2000

interface Noted {
  readonly at: number
  readonly expiresAt: number | null
}

/** What this node wrote last of a device: a sign of life, and a request that was none. */
interface Memory {
  readonly signs: LRUCache<string, Noted>
  readonly requests: LRUCache<string, number>
}

const DEVICES_MAX = 50_000
const memoryOf = perContext<Memory>(() => ({
  signs: new LRUCache({ max: DEVICES_MAX }),
  requests: new LRUCache({ max: DEVICES_MAX })
}))

/**
 * Registers the device if it is new: from now on its mailbox collects, and a call that rings already is offered to it.
 * Resolves to the cursor to resume from. `status` is what the device's person wants shown. Throws too_many_devices.
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
  memoryOf(context).signs.set(keyOf(actor), { at: now, expiresAt })
  // Waited for: a device that registers by accepting must get the early offer before its own accept takes it away.
  if (touched.created) {
    schedulePresenceCheck(context, user)
    await resumeDevice(context, actor, touched.head).catch(error =>
      context.log.debug({ err: error }, 'ringing calls not offered')
    )
  }
  return touched.head
}

/** A commit that follows is the device's sign of life. Nothing while the last one is young. */
export function keepaliveIfDue(context: Context, actor: Actor): ActingDevice | undefined {
  return isDue(context, actor) ? signOf(context, actor) : undefined
}

function signOf(context: Context, actor: Actor): ActingDevice {
  const { user, device, expiresAt } = actor
  const renewed = () => void memoryOf(context).signs.set(keyOf(actor), { at: context.clock.now(), expiresAt })
  return { user, device, expiresAt, renewed }
}

/** The device takes part: a commit that follows is its sign of life, and registers it if need be. */
export function actAs(context: Context, actor: Actor) {
  let registeredAt: Cursor | null = null
  const acting: ActingDevice = {
    ...signOf(context, actor),
    async register() {
      registeredAt = await registerDevice(context, actor)
    }
  }
  return {
    acting,
    /** Where its stream should begin to miss nothing of what it takes part in. `head` is what the commit says of its mailbox. */
    cursor: async (head: Cursor | null): Promise<Cursor> => registeredAt ?? head ?? registerDevice(context, actor)
  }
}

function isDue(context: Context, actor: Actor): boolean {
  const last = memoryOf(context).signs.peek(keyOf(actor))
  return !last || context.clock.now() - last.at >= WRITE_EVERY_MS || isLater(actor.expiresAt, last.expiresAt)
}

/** Never fails and nobody waits for it. A fresher token reaches the device's open stream this way. */
export function recordKeepalive(context: Context, actor: Actor): void {
  if (!isDue(context, actor)) return
  const key = keyOf(actor)
  const seen = memoryOf(context).signs
  seen.set(key, { at: context.clock.now(), expiresAt: actor.expiresAt })
  registerDevice(context, actor).catch(error => {
    seen.delete(key)
    context.log.debug({ err: error }, 'sign of life not written')
  })
}

/**
 * Any request acknowledges the heartbeats of the device's stream, also one that is no sign of life. Never fails and
 * nobody waits for it.
 */
export function recordRequest(context: Context, actor: Actor): void {
  const { signs, requests } = memoryOf(context)
  const key = keyOf(actor)
  const at = context.clock.now()
  // A client that answers every heartbeat is noted between any two of them.
  const youngest = at - Math.min(WRITE_EVERY_MS, context.config.heartbeatMs / 2)
  if ((signs.peek(key)?.at ?? 0) > youngest || (requests.peek(key) ?? 0) > youngest) return
  requests.set(key, at)
  context.store.mailboxes.recordRequest(actor.user, actor.device, at).catch(error => {
    requests.delete(key)
    context.log.debug({ err: error }, 'request not noted')
  })
}

const isLater = (expiresAt: number | null, other: number | null) => (expiresAt ?? Infinity) > (other ?? Infinity)

const keys = new WeakMap<Actor, string>()

/** Made once for each actor, which most requests share with the one before: hashing a new text each time costs more than the look-up. */
function keyOf(actor: Actor): string {
  const known = keys.get(actor)
  if (known !== undefined) return known
  const key = `${actor.user} ${actor.device}`
  keys.set(actor, key)
  return key
}
