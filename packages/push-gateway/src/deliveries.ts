// Sends each webhook to its devices. A webhook may arrive more than once: what is done is not sent again.
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit, { type LimitFunction } from 'p-limit'
import { type PayloadPart, type PushMessage, toNotification } from './message.js'
import { type Notification, type Outcome, type Provider, refused, type Subscription } from './provider.js'

/** By the type of subscription. Null: it is not set up. */
export type Providers = {
  readonly [Type in Subscription['type']]: Provider<Extract<Subscription, { type: Type }>> | null
}

export interface DeliveryOptions {
  readonly providers: Providers
  readonly payload: readonly PayloadPart[]
  /** The most requests to push services at a time. */
  readonly concurrency: number
  /** How long a push is tried before the webhook is answered. Its sender then repeats it while the call rings. */
  readonly replyWithinMs: number
  readonly log: (fields: Readonly<Record<string, unknown>>) => void
}

export interface DeliveryResult {
  /** The devices whose subscriptions are no longer valid. */
  readonly gone: readonly string[]
  /** How long to wait before the webhook is to be repeated; null: everything is done. */
  readonly retryAfterMs: number | null
}

interface Delivery {
  /** Of the devices that need nothing more. */
  readonly done: Map<string, Outcome>
  running: Promise<DeliveryResult> | null
}

/** Of one push to one user. */
interface Sending {
  readonly notification: Notification
  readonly user: string
  readonly deadline: number
}

const DELIVERIES_MAX = 10_000
/** Of requests that wait for a free place. More are refused, and repeated by the sender. */
const WAITING_MAX = 1_000
const BUSY: DeliveryResult = { gone: [], retryAfterMs: 1_000 }
const FIRST_RETRY_MS = 250
/** Requests at a time for the devices of one user, who chooses endpoints of Web Push and can let them hang. */
const OF_USER_MAX = 8
const NOT_TRIED: Outcome = { kind: 'retry', reason: 'other devices of the user take too long', afterMs: null }

export function createDeliveries({ providers, payload, concurrency, replyWithinMs, log }: DeliveryOptions) {
  const limit = pLimit(concurrency)
  const ofUsers = createLimits(OF_USER_MAX)
  /** By the id of the webhook, oldest first. */
  const deliveries = new Map<string, Delivery>()

  function find(id: string): Delivery {
    const delivery = deliveries.get(id) ?? { done: new Map(), running: null }
    deliveries.set(id, delivery)
    const [oldest] = deliveries.keys()
    if (deliveries.size > DELIVERIES_MAX && oldest !== undefined) deliveries.delete(oldest)
    return delivery
  }

  /** `deadline`: after it the attempt is not begun. */
  function attempt(subscription: Subscription, { notification, user, deadline }: Sending): Promise<Outcome> {
    const provider = providers[subscription.type] as Provider<Subscription> | null
    if (provider === null) return Promise.resolve(refused(`${subscription.type} is not set up`))
    const send = async () => (Date.now() < deadline ? provider.send(subscription, notification) : NOT_TRIED)
    return ofUsers
      .run(user, () => limit(send))
      .catch((error: Error) => ({ kind: 'retry', reason: error.message, afterMs: null }))
  }

  /** The last outcome before the deadline. */
  async function send(subscription: Subscription, sending: Sending): Promise<Outcome> {
    for (let failures = 0; ; failures++) {
      const outcome = await attempt(subscription, sending)
      if (outcome.kind !== 'retry') return outcome
      const delayMs = Math.max(outcome.afterMs ?? 0, FIRST_RETRY_MS * 2 ** failures * (0.5 + Math.random() / 2))
      if (Date.now() + delayMs >= sending.deadline) return { ...outcome, afterMs: Math.ceil(delayMs) }
      await sleep(delayMs)
    }
  }

  async function run({ done }: Delivery, message: PushMessage): Promise<DeliveryResult> {
    const notification = toNotification(message, payload)
    const deadline = Math.min(notification.expiresAt, Date.now() + replyWithinMs)
    const waits: number[] = []
    const sendTo = async ({ device, subscription }: PushMessage['devices'][number]) => {
      const outcome = await send(subscription, { notification, user: message.user, deadline })
      const { kind: result, ...details } = outcome
      log({ callId: message.callId, kind: message.kind, service: subscription.type, result, ...details })
      if (outcome.kind !== 'retry') done.set(device, outcome)
      else waits.push(outcome.afterMs ?? 0)
    }
    await Promise.all(message.devices.filter(({ device }) => !done.has(device)).map(sendTo))
    const gone = [...done].flatMap(([device, { kind }]) => (kind === 'gone' ? [device] : []))
    const waitMs = Math.min(...waits)
    const isInTime = waits.length > 0 && Date.now() + waitMs < notification.expiresAt
    return { gone, retryAfterMs: isInTime ? waitMs : null }
  }

  return {
    /** @param id of the webhook */
    deliver(id: string, message: PushMessage): Promise<DeliveryResult> {
      const delivery = find(id)
      if (delivery.running) return delivery.running
      if (limit.pendingCount >= WAITING_MAX) return Promise.resolve(BUSY)
      delivery.running = run(delivery, message).finally(() => {
        delivery.running = null
      })
      return delivery.running
    },
    close: () => {
      for (const provider of Object.values(providers)) provider?.close()
    }
  }
}

/** One limit for each key, as long as it is used. */
function createLimits(concurrency: number) {
  const limits = new Map<string, { readonly limit: LimitFunction; uses: number }>()
  return {
    async run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
      const used = limits.get(key) ?? { limit: pLimit(concurrency), uses: 0 }
      limits.set(key, used)
      used.uses++
      try {
        return await used.limit(task)
      } finally {
        if (--used.uses === 0) limits.delete(key)
      }
    }
  }
}

export type Deliveries = ReturnType<typeof createDeliveries>
