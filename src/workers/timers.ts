// Things that happen by themselves: deadlines fire and forgotten outboxes are delivered, by whichever node comes first.
// Each round walks a slice of the partitions, so that all of them are seen once a second and no round is a burst.

import { checkChat, readQueue } from '../services/chat-delivery.js'
import type { Context } from '../services/context.js'
import { checkCall } from '../services/liveness.js'
import { checkPair, readPair } from '../services/pairs.js'
import { checkRoom } from '../services/room-liveness.js'
import { readCall } from '../services/transact.js'
import { checkWatched, tellWatchers } from '../services/watched.js'
import type { AggregateRef } from '../store/aggregate.js'

const CYCLE_MS = 1000
const ROUNDS_PER_CYCLE = 8
/** Another node takes over a deadline whose claimant died. */
const HOLD_MS = 5000
/** An outbox that has waited for so long was forgotten; with the cycle this keeps the promised 2 s. */
const STALE_MS = 750
const CLAIM_MAX = 64

type Work<More extends unknown[] = []> = Readonly<
  Record<AggregateRef['kind'], (context: Context, id: string, ...more: More) => Promise<unknown>>
>

/** Its deadline has come, and is held until then. */
const LOOK_AT: Work<[heldUntil: number]> = {
  call: checkCall,
  pair: checkPair,
  room: checkRoom,
  chat: async (context, id) => checkChat(context, id),
  presence: checkWatched
}
/** Its events wait: reading most of them delivers those. */
const DELIVER: Work = {
  call: readCall,
  pair: readPair,
  room: (context, id) => context.tellRoom(id),
  chat: readQueue,
  presence: async (context, id) => tellWatchers(context, id)
}

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
    round = workAmong(context, chosen).finally(() => {
      round = null
    })
  })
  return async () => {
    stop()
    await round
  }
}

/** Never throws: the next round tries again. */
async function workAmong(context: Context, partitions: readonly number[]): Promise<void> {
  try {
    const { aggregates } = context.store
    const found = await aggregates.findDue(partitions, { now: context.clock.now(), staleMs: STALE_MS })
    await Promise.all(found.map(partition => workOn(context, partition)))
  } catch (error) {
    context.log.warn({ err: error }, 'timers will try again')
  }
}

/** One partition: fires what is due, delivers what is stale. One in trouble does not keep the others waiting. */
async function workOn(context: Context, partition: number): Promise<void> {
  const options = { now: context.clock.now(), holdMs: HOLD_MS, staleMs: STALE_MS, limit: CLAIM_MAX }
  const { due, stale, heldUntil } = await context.store.aggregates.claimDue(partition, options)
  const work = [
    ...due.map(({ kind, id }) => LOOK_AT[kind](context, id, heldUntil)),
    ...stale.map(({ kind, id }) => DELIVER[kind](context, id))
  ]
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected')
      context.log.warn({ err: result.reason, partition }, 'something will be looked at again')
  }
}
