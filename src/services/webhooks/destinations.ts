// The destinations of webhooks as this node finds them: which queues it delivers, which of them wait for their turn, and what is paused or
// disabled. Kept in memory: the queues themselves are in the store, whose timers return what this node lost.
import type { Config } from '../../config.js'
import { afterFailure, beginAttempt, type Health, mayAttempt, UP, withoutProbe } from '../../domain/webhook/health.js'
import type { WebhookQueueRef } from '../../store/webhook-queues.js'
import { type Context, perContext } from '../context.js'

/** Requests at once to one destination by one node. */
export const IN_FLIGHT_MAX = 32
/** Queues of one destination that wait for one of these. The timers return others later. */
const WAITING_MAX = 1000
/** When other queues wait, one has its turn after this many events. */
export const TURN_EVENTS = 16
/** Queues that cannot be delivered now are due again at this distance: 200 a second come back, however many they are. */
const DEFER_EVERY_MS = 5
const DEFER_MIN_MS = 1000
const WARN_EVERY_MS = 60_000

/** By queue. `isAgain`: it may have got another event since it was last read. */
type Running = Map<string, { isAgain: boolean }>

export class Destination {
  readonly id: string
  readonly url: string
  readonly types: ReadonlySet<string>
  readonly keys: readonly Buffer[]
  readonly running: Running = new Map()
  readonly waiting = new Map<string, WebhookQueueRef>()
  /** Since when it is disabled; null: it is not. As this node last read it. */
  disabledAt: number | null = null
  #health: Health = UP
  /** Queues that have failed since the last success, while it is up. */
  readonly #failing = new Set<string>()
  #warnedAt = Number.NEGATIVE_INFINITY
  #lastDeferredTo = 0

  constructor({ id, url, types }: Config['webhookUrls'][number], keys: readonly Buffer[]) {
    this.id = id
    this.url = url
    this.types = types
    this.keys = keys
  }

  get health(): Health {
    return this.#health
  }

  get isFull(): boolean {
    return this.running.size >= IN_FLIGHT_MAX
  }

  get canWait(): boolean {
    return this.#health.probeAt === null && this.waiting.size < WAITING_MAX
  }

  /** To a disabled destination nothing is sent, so its queues are emptied even while it is paused. */
  mayDeliver(now: number): boolean {
    return this.disabledAt !== null || mayAttempt(this.#health, now)
  }

  /** True: the attempt is a probe. */
  begin(): boolean {
    this.#health = beginAttempt(this.#health)
    return this.#health.isProbing
  }

  succeeded(): void {
    this.#setUp()
  }

  /** The same queue failing again says nothing new about the destination: the receiver may refuse this one event. */
  failed(queue: string, isProbe: boolean, now: number): void {
    if (this.#health.probeAt === null && this.#failing.has(queue)) return
    this.#failing.add(queue)
    this.#health = afterFailure(this.#health, { isProbe, random: Math.random() }, now)
    // They are due in the store, and come back spread over time.
    if (this.#health.probeAt === null) return
    this.waiting.clear()
    this.#failing.clear()
  }

  /** True at most once a minute: failures are many while a receiver is down. */
  shouldWarn(now: number): boolean {
    if (now - this.#warnedAt < WARN_EVERY_MS) return false
    this.#warnedAt = now
    return true
  }

  releaseProbe(): void {
    this.#health = withoutProbe(this.#health)
  }

  /** An operator knows that it is up. */
  enable(): void {
    this.disabledAt = null
    this.#setUp()
  }

  #setUp(): void {
    this.#health = UP
    this.#failing.clear()
  }

  /** When a queue is due again that cannot be delivered now. */
  nextDeferral(now: number): number {
    const earliest = Math.max(now + DEFER_MIN_MS, this.#health.probeAt ?? 0)
    this.#lastDeferredTo = Math.max(this.#lastDeferredTo + DEFER_EVERY_MS, earliest)
    return this.#lastDeferredTo
  }
}

const destinationMaps = perContext(() => new Map<string, Destination>())

/** By id: those that are configured. */
export function destinationsOf(context: Context): ReadonlyMap<string, Destination> {
  const destinations = destinationMaps(context)
  const { webhookUrls, webhookSecrets } = context.config
  if (destinations.size < webhookUrls.length) {
    for (const [i, each] of webhookUrls.entries())
      destinations.set(each.id, new Destination(each, webhookSecrets[i] ?? []))
  }
  return destinations
}

/** Reads which destinations are disabled. Another node, or an operator on it, may have disabled or enabled one. */
export async function refreshDisabled(context: Context): Promise<void> {
  const disabled = await context.store.webhookQueues.disabled()
  for (const destination of destinationsOf(context).values()) {
    const disabledAt = disabled.get(destination.id) ?? null
    if (disabledAt === null && destination.disabledAt !== null) destination.enable()
    destination.disabledAt = disabledAt
  }
}
