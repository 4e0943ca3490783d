// The hub passes wake-ups of the store to the subscriptions of this process. It subscribes once per user, for all their devices. A wake-up
// that arrives before join() has resolved is passed on too.
import type { FastifyBaseLogger } from 'fastify'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Wakeup, Wakeups } from '../store/store.js'

export interface Subscriber {
  readonly actor: Actor
  /** Must not throw. */
  wake(wakeup: Wakeup): void
  /** Ends the connection if its token was revoked. */
  endIfRevoked(): void
}

export interface Hub {
  /** Resolves when wake-ups sent from then on arrive. @throws AppError store_unavailable; the subscriber is then not joined */
  join(subscriber: Subscriber): Promise<void>
  /** Idempotent, never rejects. If this was the user's last subscriber, resolves when the store's subscription has ended. */
  leave(subscriber: Subscriber): Promise<void>
  /** Those of the user on this node, also while they join. */
  subscribersOf(user: string): readonly Subscriber[]
  /** Number of users subscribed to. */
  readonly size: number
}

interface WakeupSource {
  readonly wakeups: Pick<Wakeups, 'subscribe'>
}

interface HubOptions {
  readonly store: WakeupSource
  readonly log: Pick<FastifyBaseLogger, 'error'>
}

export function createHub({ store, log }: HubOptions): Hub {
  const channels = new Map<string, Channel>()

  /** True: the channel has no subscriber left. */
  function remove(subscriber: Subscriber, channel: Channel | undefined): boolean {
    if (!channel?.remove(subscriber) || channel.subscribers.length > 0) return false
    // A subscriber that joins from here on gets a new channel. The store keeps the two subscriptions apart.
    if (channels.get(subscriber.actor.user) === channel) channels.delete(subscriber.actor.user)
    return true
  }

  return {
    async join(subscriber) {
      const { user } = subscriber.actor
      const channel = channels.get(user) ?? new Channel(store, user)
      channels.set(user, channel)
      // concat, because V8 reserves room for 16 more elements when an array is spread.
      channel.subscribers = channel.subscribers.concat(subscriber)
      try {
        await channel.ready
      } catch (error) {
        remove(subscriber, channel)
        throw error
      }
    },
    async leave(subscriber) {
      const channel = channels.get(subscriber.actor.user)
      if (!channel || !remove(subscriber, channel)) return
      try {
        const unsubscribe = await channel.ready
        await unsubscribe()
      } catch (error) {
        if (!(error instanceof AppError)) log.error({ err: error }, 'unsubscribing failed')
      }
    },
    subscribersOf: user => channels.get(user)?.subscribers ?? [],
    get size() {
      return channels.size
    }
  }
}

class Channel {
  /** Replaced, never mutated: a subscriber may leave while it is woken. */
  subscribers: readonly Subscriber[] = []
  readonly ready: Promise<() => Promise<void>>

  constructor(store: WakeupSource, user: string) {
    this.ready = store.wakeups.subscribe(user, wakeup => {
      for (const subscriber of this.subscribers) {
        if (wakeup.kind === 'gap' || wakeup.device === subscriber.actor.device) subscriber.wake(wakeup)
      }
    })
  }

  remove(subscriber: Subscriber): boolean {
    const others = this.subscribers.filter(each => each !== subscriber)
    const isRemoved = others.length < this.subscribers.length
    this.subscribers = others
    return isRemoved
  }
}
