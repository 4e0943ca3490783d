// What a commit leaves in an aggregate's outbox, and its way to the mailboxes.
import { type Deliveries, type Dispatched, dispatch } from '../delivery/dispatch.js'
import type { Audience } from '../domain/state.js'
import type { Delivery } from '../schemas/common.js'
import type { AggregateRef, OutboxItem, OutgoingEvent, Snapshot, Stamp } from '../store/aggregate.js'
import type { Context } from './context.js'

export const NOWHERE: Deliveries = new Map()
/** Of one recipient. */
export const NO_DELIVERY: Delivery = { online: 0, queued: 0 }

export function toItem(to: Audience | 'watchers', event: OutgoingEvent): OutboxItem {
  if (to === 'watchers') return { do: 'publish', event }
  const { at: _, ...whom } = to
  return { do: 'deliver', ...whom, event }
}

/** The devices that events are kept for. */
export function queuedFor(events: readonly { readonly to: Audience | 'watchers' }[]): Deliveries {
  return new Map(events.flatMap(({ to }) => (to === 'watchers' ? [] : [[to.user, { online: 0, queued: 1 }] as const])))
}

/** Null when it could not be done now; the sweeper will. */
export async function dispatchPending(
  context: Context,
  ref: AggregateRef,
  pending: Snapshot['pending'],
  committedAt: number
): Promise<Dispatched | null> {
  const newest = pending.at(-1)
  if (newest === undefined) return { deliveries: NOWHERE, isOver: false }
  try {
    const dispatched = await dispatch(context, ref, pending)
    context.metrics.outboxLagSeconds.observe((context.clock.now() - committedAt) / 1000)
    settleLater(context, ref, newest)
    return dispatched
  } catch (error) {
    context.log.warn(
      { err: error, ...named(ref), version: newest.version },
      'events stay in the outbox for the sweeper'
    )
    return null
  }
}

/** Nobody waits for it: an entry that stays is dispatched again, and every mailbox drops it as a duplicate. */
function settleLater(context: Context, ref: AggregateRef, newest: Stamp): void {
  context.store.aggregates.settle(ref, newest).catch(error => {
    context.log.warn({ err: error, ...named(ref), version: newest.version }, 'outbox not trimmed')
  })
}

/** As the logs name it: callId, … */
const named = ({ kind, id }: AggregateRef) => ({ [`${kind}Id`]: id })
