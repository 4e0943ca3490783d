// Deadlines, and what was committed and not delivered, served by the node that claims them first. The store says when to look again. What
// is due is claimed until nothing is left, as fast as the queue takes it: a backlog of rooms or presence closes the queue to its own class
// and never to the calls that come due meanwhile.
import { setImmediate } from 'node:timers/promises'
import { readCall } from '../services/call/update-call.js'
import { checkChat, readQueue } from '../services/chat/deliver-to-service.js'
import type { Context } from '../services/context.js'
import { checkCall } from '../services/device/lifecycle.js'
import { checkWatchedUser } from '../services/presence/publish-presence.js'
import { checkRoom } from '../services/room/liveness.js'
import { checkPair, readPair } from '../services/room/pairs.js'
import type { AggregateRef } from '../store/aggregate.js'
import { TIMER_CLASSES, type TimerClass, timerClassOf } from '../store/timers.js'
import { createTaskQueue, type TaskQueue } from './task-queue.js'

/** A deadline that the store has announced fires this late at most. */
const TICK_MS = 125
/** Another node takes over a deadline whose claimant died. */
const CLAIM_MS = 5000
/** What has waited for this long was forgotten; with the second between two looks this keeps the promised 2 s. */
const STALE_MS = 750
const CLAIM_MAX = 64

type Work<More extends unknown[] = []> = Readonly<
  Record<AggregateRef['kind'], (context: Context, id: string, ...more: More) => Promise<unknown>>
>

/** Its deadline has come, and is held until then. */
const CHECK: Work<[claimedUntil: number]> = {
  call: checkCall,
  pair: checkPair,
  room: checkRoom,
  chat: async (context, id) => checkChat(context, id),
  presence: checkWatchedUser
}
/** Its events wait: reading delivers them, or the fan-out starts. */
const DELIVER: Work = {
  call: readCall,
  pair: readPair,
  room: async ({ startFanout }, id) => startFanout({ kind: 'room', id }),
  chat: readQueue,
  presence: async ({ startFanout }, id) => startFanout({ kind: 'presence', id })
}

/** Starts the worker. The returned function stops it and resolves when nothing of it runs any more. */
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
  #lookAt = Number.NEGATIVE_INFINITY
  /** Something may be due that the queue did not take. */
  #hasBacklog = false
  #looking: Promise<void> | null = null
  #isClosed = false

  constructor(context: Context) {
    this.#context = context
    this.#queue = createTaskQueue({
      log: context.log,
      onRoom: () => {
        if (this.#hasBacklog) this.#look()
      }
    })
  }

  tick(): void {
    this.#queue.passSlow()
    if (this.#hasBacklog || this.#context.clock.now() >= this.#lookAt) this.#look()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#queue.close()
    await this.#looking
  }

  #look(): void {
    if (this.#looking !== null || this.#isClosed || this.#context.store.availableSince() === null) return
    this.#looking = this.#claimAll()
      .catch(error => this.#context.log.warn({ err: error }, 'timers could not be claimed'))
      .finally(() => {
        this.#looking = null
        // The queue may have made room during the last claim.
        if (this.#hasBacklog && this.#queue.openClasses().length === TIMER_CLASSES.length) this.#look()
      })
  }

  /** Claims all that is due, or as much as the queue takes. */
  async #claimAll(): Promise<void> {
    const { store } = this.#context
    while (!this.#isClosed && store.availableSince() !== null) {
      const classes = this.#queue.openClasses()
      this.#hasBacklog = classes.length < TIMER_CLASSES.length
      if (classes.length === 0 || !(await this.#claim(classes))) return
      // In the memory engine nothing else gives way to requests.
      await setImmediate()
    }
  }

  /** Resolves to whether to claim again at once. While the queue is closed to a class it takes stale outboxes a claim at a time. */
  async #claim(classes: readonly TimerClass[]): Promise<boolean> {
    const { store, clock } = this.#context
    const options = { now: clock.now(), claimMs: CLAIM_MS, staleMs: STALE_MS, limit: CLAIM_MAX, classes }
    const { due, stale, claimedUntil, more, nextClaimAt } = await store.timers.claimDue(options)
    this.#lookAt = nextClaimAt
    for (const ref of due) this.#add('check', ref, () => CHECK[ref.kind](this.#context, ref.id, claimedUntil))
    for (const ref of stale) this.#add('deliver', ref, () => DELIVER[ref.kind](this.#context, ref.id))
    return more && (due.length > 0 || !this.#hasBacklog)
  }

  #add(what: 'check' | 'deliver', ref: AggregateRef, run: () => Promise<unknown>): void {
    this.#queue.add({ timerClass: timerClassOf(ref), key: `${what} ${ref.kind} ${ref.id}`, run })
  }
}
