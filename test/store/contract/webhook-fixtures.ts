// What contract tests of webhook queues append and read, with short defaults.
import type { AggregateRef } from '../../../src/store/aggregate.js'
import {
  type NewWebhookEvent,
  type NextWebhookOptions,
  toQueueAggregate,
  type WebhookEvent,
  type WebhookQueueRef
} from '../../../src/store/webhook-queues.js'
import type { StoreFixture } from '../contract.js'
import { claimOf } from './fixtures.js'

export const LEASE_MS = 2_000

export const newEvent = (n: number | string, parts: Partial<NewWebhookEvent> = {}): NewWebhookEvent => ({
  destinations: ['d1'],
  type: 'call.ended',
  envelope: JSON.stringify({ n, text: 'grüße | "quoted"\n' }),
  expiresAt: null,
  ...parts
})

/** The event `n` of the commit of version `n`. */
export const eventOf = (n: number, parts: Partial<WebhookEvent> = {}): WebhookEvent => {
  const { destinations: _, ...event } = newEvent(n)
  return { version: n, tag: `t${n}`, index: 0, ...event, ...parts }
}

export const queueOf = (source: AggregateRef, destination = 'd1'): WebhookQueueRef => ({ destination, source })

export function queueSteps(fixture: StoreFixture) {
  const { webhookQueues } = fixture.store
  const next = (ref: WebhookQueueRef, parts: Partial<NextWebhookOptions> = {}) =>
    webhookQueues.next(ref, {
      ...{ node: 'node-1', leaseMs: LEASE_MS, now: fixture.clock.now(), limit: 100, done: null },
      ...parts
    })
  return {
    next,
    /** The versions of the next batch, or the status of another step. */
    async versions(ref: WebhookQueueRef, parts: Partial<NextWebhookOptions> = {}) {
      const step = await next(ref, parts)
      return step.status === 'batch' ? step.events.map(({ version }) => version) : step.status
    },
    /** The position of the newest event in the queue. */
    async positionOfLast(ref: WebhookQueueRef, parts: Partial<NextWebhookOptions> = {}) {
      const step = await next(ref, parts)
      return step.status === 'batch' ? (step.events.at(-1)?.position ?? null) : null
    },
    /** Appends the events of these versions, in one partition one after another. */
    async append(ref: WebhookQueueRef, ...events: readonly (number | WebhookEvent)[]): Promise<boolean[]> {
      const written: boolean[] = []
      for (const event of events) {
        const whole = typeof event === 'number' ? eventOf(event) : event
        written.push(await webhookQueues.append(ref, whole, fixture.clock.now()))
      }
      return written
    },
    postpone: (
      ref: WebhookQueueRef,
      { retryIn, ...parts }: { retryIn: number; node?: string; attempts?: number; done?: string | null }
    ) => {
      const now = fixture.clock.now()
      const defaults = { node: 'node-1', done: null, attempts: 1, now, retryAt: now + retryIn }
      return webhookQueues.postpone(ref, { ...defaults, ...parts })
    },
    /** Whether the timers return the queue now. They claim it. */
    async isDue(ref: WebhookQueueRef): Promise<boolean> {
      return (await claimOf(fixture, toQueueAggregate(ref).id)).due.length > 0
    }
  }
}
