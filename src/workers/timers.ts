// Runs due deadlines, and delivers stale outboxes. Any node may claim them; the first one runs them. Claims continue until nothing is due
// or the queue is full. A backlog of rooms or presence closes the queue to its own class and never to calls.
import { setImmediate } from 'node:timers/promises'
import { readCall } from '../services/call/update-call.js'
import { readQueue, startChatDelivery } from '../services/chat/deliver-to-service.js'
import type { Context } from '../services/context.js'
import { checkCall } from '../services/device/lifecycle.js'
import { checkWatchedUser } from '../services/presence/publish-presence.js'
import { checkRoom } from '../services/room/liveness.js'
import { checkPair, readPair } from '../services/room/pairs.js'
import { resumeWebhookQueue } from '../services/webhooks/deliver.js'
import type { AggregateRef } from '../store/aggregate.js'
import { TIMER_CLASSES, type TimerClass, timerClassOf } from '../store/timers.js'
import { createTaskQueue, type TaskQueue } from './task-queue.js'

/** A deadline that the store has announced runs at most this late. */
const TICK_MS = 125
/** After this time another node may claim the same deadline: the node that claimed it may have died. */
const CLAIM_MS = 5000
/** An outbox is stale after this time. With the second between two claims, mail of a dead node is delivered within 2 s. */
const STALE_MS = 750
const CLAIM_MAX = 64

type Handlers<More extends unknown[] = []> = Readonly<
  Record<AggregateRef['kind'], (context: Context, id: string, ...more: More) => Promise<unknown>>
>

/** Run when the deadline has come. */
const CHECK: Handlers<[claimedUntil: number]> = {
  call: checkCall,
  pair: checkPair,
  room: checkRoom,
  chat: async (context, id) => startChatDelivery(context, id),
  presence: checkWatchedUser,
  webhook: resumeWebhookQueue
}
/** Deliver the events of a stale outbox: reading the aggregate does, or the fan-out. */
const DELIVER: Handlers = {
  call: readCall,
  pair: readPair,
  room: async ({ startFanout }, id) => startFanout({ kind: 'room', id }),
  chat: readQueue,
  presence: async ({ startFanout }, id) => startFanout({ kind: 'presence', id }),
  /** A queue has no outbox. */
  webhook: async () => undefined
}

/** Starts the worker. The returned function stops it and resolves when its running tasks have ended. */
export function startTimers(context: Context): () => Promise<void> {
  const timers = new Timers(context)
  const stop = context.clock.every(TICK_MS, () => timers.tick())
  return () => {
    stop()
    return timers.close()
  }
}

class Timers {
  readonly #context: Context
  readonly #queue: TaskQueue
  #nextClaimAt = Number.NEGATIVE_INFINITY
  /** The queue was closed to a class at the last claim. */
  #hasBacklog = false
  #claiming: Promise<void> | null = null
  #isClosed = false

  constructor(context: Context) {
    this.#context = context
    this.#queue = createTaskQueue({
      log: context.log,
      onCapacity: () => {
        if (this.#hasBacklog) this.#claimInBackground()
      }
    })
  }

  tick(): void {
    this.#queue.setSlowTasksAside()
    if (this.#hasBacklog || this.#context.clock.now() >= this.#nextClaimAt) this.#claimInBackground()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#queue.close()
    await this.#claiming
  }

  #claimInBackground(): void {
    if (this.#claiming !== null || this.#isClosed || this.#context.store.availableSince() === null) return
    this.#claiming = this.#claimAll()
      .catch(error => this.#context.log.warn({ err: error }, 'due timers not claimed; the next tick tries again'))
      .finally(() => {
        this.#claiming = null
        // The queue may have called onCapacity during the last claim.
        if (this.#hasBacklog && this.#queue.openClasses().length === TIMER_CLASSES.length) this.#claimInBackground()
      })
  }

  /** Claims until nothing is due or the queue is full. */
  async #claimAll(): Promise<void> {
    const { store } = this.#context
    while (!this.#isClosed && store.availableSince() !== null) {
      const classes = this.#queue.openClasses()
      this.#hasBacklog = classes.length < TIMER_CLASSES.length
      if (classes.length === 0 || !(await this.#claim(classes))) return
      // Lets requests run: with the memory engine nothing else here yields to the event loop.
      await setImmediate()
    }
  }

  /** True: claim again at once. While the queue is closed to a class, stale outboxes alone are no reason to claim again. */
  async #claim(classes: readonly TimerClass[]): Promise<boolean> {
    const { store, clock } = this.#context
    const options = { now: clock.now(), claimMs: CLAIM_MS, staleMs: STALE_MS, limit: CLAIM_MAX, classes }
    const { due, stale, claimedUntil, more, nextClaimAt } = await store.timers.claimDue(options)
    this.#nextClaimAt = nextClaimAt
    for (const ref of due) this.#add('check', ref, () => CHECK[ref.kind](this.#context, ref.id, claimedUntil))
    for (const ref of stale) this.#add('deliver', ref, () => DELIVER[ref.kind](this.#context, ref.id))
    return more && (due.length > 0 || !this.#hasBacklog)
  }

  #add(what: 'check' | 'deliver', ref: AggregateRef, run: () => Promise<unknown>): void {
    this.#queue.add({ timerClass: timerClassOf(ref), key: `${what} ${ref.kind} ${ref.id}`, run })
  }
}
