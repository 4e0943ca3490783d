// Taking part registers a device, and every successful POST is a sign of life (DESIGN 5). Written at most once in a while,
// so that a busy sender costs no extra round trip a message.
import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Cursor } from '../store/store.js'
import type { Context } from './context.js'
import { greetDevice } from './liveness.js'
import { noticeChange } from './watched.js'

/** A good deal shorter than AWAY_AFTER_MS can usefully be. */
const WRITE_EVERY_MS = 2000

interface Noted {
  readonly at: number
  readonly expiresAt: number | null
}

const noted = new WeakMap<Context, LRUCache<string, Noted>>()

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
  memoryOf(context).set(keyOf(actor), { at: now, expiresAt })
  // Waited for: a device that registers by accepting must get the early offer before its own accept takes it away.
  if (touched.created) {
    noticeChange(context, user)
    await greetDevice(context, actor, touched.head).catch(error =>
      context.log.debug({ err: error }, 'ringing calls not offered')
    )
  }
  return touched.head
}

/** Never fails and nobody waits for it. A fresher token reaches the device's open stream this way. */
export function noteSignOfLife(context: Context, actor: Actor): void {
  const key = keyOf(actor)
  const seen = memoryOf(context)
  const last = seen.get(key)
  const at = context.clock.now()
  if (last && at - last.at < WRITE_EVERY_MS && !isLater(actor.expiresAt, last.expiresAt)) return
  seen.set(key, { at, expiresAt: actor.expiresAt })
  registerDevice(context, actor).catch(error => {
    seen.delete(key)
    context.log.debug({ err: error }, 'sign of life not written')
  })
}

const isLater = (expiresAt: number | null, other: number | null) => (expiresAt ?? Infinity) > (other ?? Infinity)

const keyOf = ({ user, device }: Actor) => `${user} ${device}`

function memoryOf(context: Context): LRUCache<string, Noted> {
  const known = noted.get(context)
  if (known) return known
  const fresh = new LRUCache<string, Noted>({ max: 50_000 })
  noted.set(context, fresh)
  return fresh
}
