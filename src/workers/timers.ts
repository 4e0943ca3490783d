// Deadlines, and what was committed and not delivered, served by the node that claims them first. Each tick looks at a slice of the partitions, so
// that all are seen once a second and no tick is a burst. What is due is claimed until none is left, as fast as the queue takes it: a
// backlog of rooms or presence closes the queue to its own class and never to the calls that come due meanwhile.
import { setImmediate } from 'node:timers/promises'
import { checkChat, readQueue } from '../services/chat-delivery.js'
import type { Context } from '../services/context.js'
import { checkCall } from '../services/liveness.js'
import { checkPair, readPair } from '../services/pairs.js'
import { checkRoom } from '../services/room-liveness.js'
import { readCall } from '../services/transact.js'
import { checkWatched } from '../services/watched.js'
import { type AggregateRef, TIMER_CLASSES, timerClassOf } from '../store/aggregate.js'
import { createTaskQueue, type TaskQueue } from './task-queue.js'

const CYCLE_MS = 1000
const TICKS_PER_CYCLE = 8
/** Another node takes over a deadline whose claimant died. */
const HOLD_MS = 5000
/** What has waited for so long was forgotten; with the cycle this keeps the promised 2 s. */
const STALE_MS = 750
const CLAIM_MAX = 64

type Work<More extends unknown[] = []> = Readonly<
  Record<AggregateRef['kind'], (context: Context, id: string, ...more: More) => Promise<unknown>>
>

/** Its deadline has come, and is held until then. */
const CHECK: Work<[heldUntil: number]> = {
  call: checkCall,
  pair: checkPair,
  room: checkRoom,
  chat: async (context, id) => checkChat(context, id),
  presence: checkWatched
}
/** Its events wait: reading delivers them, or the fan-out starts. */
const DELIVER: Work = {
  call: readCall,
  pair: readPair,
  room: async ({ fanout }, id) => fanout.start({ kind: 'room', id }),
  chat: readQueue,
  presence: async ({ fanout }, id) => fanout.start({ kind: 'presence', id })
}

/** Starts the worker. The returned function stops it and resolves when nothing of it runs any more. */
export function startTimers(context: Context): () => Promise<void> {
  const timers = new Timers(context)
  const { partitions } = context.store.aggregates
  const tickMs = partitions === 1 ? CYCLE_MS / 4 : CYCLE_MS / TICKS_PER_CYCLE
  const stop = context.clock.every(tickMs, () => timers.tick())
  return () => {
    stop()
    return timers.close()
  }
}

class Timers {
  readonly #context: Context
  readonly #queue: TaskQueue
  /** Partitions that may hold more than the queue took. */
  readonly #backlog = new Set<number>()
  #next = 0
  #looking: Promise<void> | null = null
  #refilling: Promise<void> | null = null

  constructor(context: Context) {
    this.#context = context
    this.#queue = createTaskQueue({ log: context.log, onRoom: () => this.#refill() })
  }

  tick(): void {
    this.#queue.passSlow()
    if (this.#looking !== null || !this.#hasContact()) return
    this.#looking = this.#attempt(this.#look()).finally(() => {
      this.#looking = null
    })
    this.#refill()
  }

  async close(): Promise<void> {
    this.#backlog.clear()
    await this.#queue.close()
    await Promise.all([this.#looking, this.#refilling])
  }

  async #look(): Promise<void> {
    const { aggregates } = this.#context.store
    const slice = Math.ceil(aggregates.partitions / TICKS_PER_CYCLE)
    const partitions = Array.from({ length: slice }, (_, i) => (this.#next + i) % aggregates.partitions)
    this.#next = (this.#next + slice) % aggregates.partitions
    const found = await aggregates.findDue(partitions, { now: this.#context.clock.now(), staleMs: STALE_MS })
    // One partition in trouble does not keep the others waiting.
    await Promise.all(found.map(partition => this.#attempt(this.#claim(partition))))
  }

  /** Works off the backlog, a partition at a time, for as long as the queue takes any class. */
  #refill(): void {
    if (this.#refilling !== null || this.#backlog.size === 0) return
    this.#refilling = this.#attempt(this.#claimBacklog()).finally(() => {
      this.#refilling = null
    })
  }

  async #claimBacklog(): Promise<void> {
    // A set visits what is added on the way, so that a partition which holds more has its next turn after the others.
    for (const partition of this.#backlog) {
      if (!this.#hasContact() || this.#queue.openClasses().length < TIMER_CLASSES.length) return
      this.#backlog.delete(partition)
      await this.#claim(partition)
      // In the memory engine nothing else gives way to requests.
      await setImmediate()
    }
  }

  /** Claims all that is due in a partition, or as much as the queue takes. */
  async #claim(partition: number): Promise<void> {
    const { store, clock } = this.#context
    for (;;) {
      const classes = this.#queue.openClasses()
      if (classes.length < TIMER_CLASSES.length) this.#backlog.add(partition)
      if (classes.length === 0) return
      const options = { now: clock.now(), holdMs: HOLD_MS, staleMs: STALE_MS, limit: CLAIM_MAX, classes }
      const { due, stale, heldUntil, more } = await store.aggregates.claimDue(partition, options)
      for (const ref of due) this.#add('check', ref, () => CHECK[ref.kind](this.#context, ref.id, heldUntil))
      for (const ref of stale) this.#add('deliver', ref, () => DELIVER[ref.kind](this.#context, ref.id))
      if (!more) return
    }
  }

  #add(what: 'check' | 'deliver', ref: AggregateRef, run: () => Promise<unknown>): void {
    this.#queue.add({ timerClass: timerClassOf(ref), key: `${what} ${ref.kind} ${ref.id}`, run })
  }

  #hasContact(): boolean {
    return this.#context.store.contactSince() !== null
  }

  /** Never rejects: what was not claimed is found at the next tick. */
  async #attempt(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#context.log.warn({ err: error }, 'timers could not be claimed')
    }
  }
}
