// The webhook `push` at the moment it is delivered: with the remaining time, and the opened subscriptions of the devices that still sleep. A queue
// keeps neither, so no subscription lies in the store unencrypted.
import { type CallPush, rings } from '../../domain/call/push.js'
import { type CallIdRecord, callIn } from '../../domain/call/tombstone.js'
import type { Context } from '../context.js'
import { type OpenedSubscription, openSubscriptions } from './subscriptions.js'

interface QueuedPush {
  readonly type: string
  readonly timestamp: string
  readonly data: CallPush['data'] & Pick<CallPush, 'expiresAt'>
}

export interface RenderedPush {
  readonly body: string
  readonly user: string
  readonly opened: readonly OpenedSubscription[]
}

/** @param body of the queued event. Null: it is too late, or every device has come online, which receives the event from its mailbox. */
export async function renderPush(context: Context, body: string): Promise<RenderedPush | null> {
  const { type, timestamp, data } = JSON.parse(body) as QueuedPush
  const { devices, expiresAt, ...kept } = data
  const expiresInMs = expiresAt - context.clock.now()
  if (expiresInMs <= 0 || (kept.kind === 'incoming' && !(await isRinging(context, kept)))) return null
  const opened = await openSubscriptions(context, kept.user, await asleepOf(context, kept.user, devices))
  if (opened.length === 0 && devices.length > 0) return null
  const subscriptions = opened.map(({ device, subscription }) => ({ device, subscription }))
  const rendered = { type, timestamp, data: { ...kept, expiresInMs, devices: subscriptions } }
  return { body: JSON.stringify(rendered), user: kept.user, opened }
}

async function isRinging({ store }: Context, { callId, user }: Pick<CallPush['data'], 'callId' | 'user'>) {
  const stored = await store.aggregates.load({ kind: 'call', id: callId })
  const call = stored && callIn(JSON.parse(stored.state) as CallIdRecord)
  return call !== null && rings(call, user)
}

async function asleepOf({ store, clock }: Context, user: string, devices: readonly string[]): Promise<string[]> {
  const states = await store.mailboxes.devices(user, clock.now())
  const online = new Set(states.filter(state => state.online).map(({ device }) => device))
  return devices.filter(device => !online.has(device))
}

/** Removes the subscriptions that the reply names in `gone`, unless they were replaced meanwhile. Returns how many. */
export async function removeGone({ store }: Context, { user, opened }: RenderedPush, reply: string): Promise<number> {
  const gone = goneIn(reply)
  const removed = opened.filter(({ device }) => gone.includes(device))
  await Promise.all(removed.map(({ device, sealed }) => store.pushSubscriptions.remove(user, device, sealed)))
  return removed.length
}

function goneIn(reply: string): readonly unknown[] {
  try {
    const { gone } = JSON.parse(reply) as { readonly gone?: unknown }
    return Array.isArray(gone) ? gone : []
  } catch {
    // A receiver may answer with any text.
    return []
  }
}
