// Things that happen by themselves: deadlines fire and forgotten outboxes are delivered, by whichever node comes first.
// Each round walks a slice of the partitions, so that all of them are seen once a second and no round is a burst.

import type { Context } from '../services/context.js'
import { checkCall } from '../services/liveness.js'
import { readCall } from '../services/transact.js'

const CYCLE_MS = 1000
const ROUNDS_PER_CYCLE = 8
/** Another node takes over a deadline whose claimant died. */
const HOLD_MS = 5000
/** An outbox that has waited for so long was forgotten; with the cycle this keeps the promised 2 s. */
const STALE_MS = 750
const CLAIM_MAX = 64

/** Starts the worker. The returned function stops it and resolves when the round at work is done. */
export function startTimers(context: Context): () => Promise<void> {
  const { partitions } = context.store.aggregates
  const slice = Math.ceil(partitions / ROUNDS_PER_CYCLE)
  let next = 0
  let round: Promise<unknown> | null = null
  const stop = context.clock.every(partitions === 1 ? CYCLE_MS / 4 : CYCLE_MS / ROUNDS_PER_CYCLE, () => {
    if (round !== null || context.store.contactSince() === null) return
    const chosen = Array.from({ length: slice }, (_, i) => (next + i) % partitions)
    next = (next + slice) % partitions
    round = Promise.all(chosen.map(partition => workOn(context, partition))).finally(() => {
      round = null
    })
  })
  return async () => {
    stop()
    await round
  }
}

/** One partition: fires what is due, delivers what is stale. Never throws: the next round tries again. */
export async function workOn(context: Context, partition: number): Promise<void> {
  try {
    const options = { now: context.clock.now(), holdMs: HOLD_MS, staleMs: STALE_MS, limit: CLAIM_MAX }
    const { due, stale } = await context.store.aggregates.claimDue(partition, options)
    await Promise.all([...due.map(ref => checkCall(context, ref.id)), ...stale.map(ref => readCall(context, ref.id))])
  } catch (error) {
    context.log.warn({ err: error, partition }, 'timers will try again')
  }
}
