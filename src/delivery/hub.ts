// From the store's wake-ups to the streams and polls of this process: one subscription a user, however many of their devices
// are here. A wake-up that comes before join() has resolved is delivered too; consumers are ready for that.
import type { FastifyBaseLogger } from 'fastify'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Wakeup, Wakeups } from '../store/store.js'

export interface Consumer {
  readonly actor: Actor
  /** Must not throw. */
  wake(wakeup: Wakeup): void
}

export interface Hub {
  /** Resolves when wake-ups sent from then on arrive. Throws store_unavailable, and then the consumer is not joined. */
  join(consumer: Consumer): Promise<void>
  /** Idempotent; resolves when the subscription is gone, if this was its last consumer. Never rejects. */
  leave(consumer: Consumer): Promise<void>
  /** Users subscribed to. */
  readonly size: number
}

interface Source {
  readonly wakeups: Pick<Wakeups, 'subscribe'>
}

interface HubOptions {
  readonly store: Source
  readonly log: Pick<FastifyBaseLogger, 'error'>
}

export function createHub({ store, log }: HubOptions): Hub {
  const channels = new Map<string, Channel>()

  function drop(consumer: Consumer, channel: Channel | undefined): boolean {
    if (!channel?.remove(consumer) || channel.members.length > 0) return false
    // Whoever joins from here on gets a channel of their own; the store keeps the two subscriptions apart.
    if (channels.get(consumer.actor.user) === channel) channels.delete(consumer.actor.user)
    return true
  }

  return {
    async join(consumer) {
      const { user } = consumer.actor
      const channel = channels.get(user) ?? new Channel(store, user)
      channels.set(user, channel)
      // Not spread: that leaves room for sixteen more, in every channel.
      channel.members = channel.members.concat(consumer)
      try {
        await channel.ready
      } catch (error) {
        drop(consumer, channel)
        throw error
      }
    },
    async leave(consumer) {
      const channel = channels.get(consumer.actor.user)
      if (!channel || !drop(consumer, channel)) return
      try {
        const unsubscribe = await channel.ready
        await unsubscribe()
      } catch (error) {
        if (!(error instanceof AppError)) log.error({ err: error }, 'unsubscribing failed')
      }
    },
    get size() {
      return channels.size
    }
  }
}

class Channel {
  /** Replaced, never changed: a consumer may leave while it is being woken. */
  members: readonly Consumer[] = []
  readonly ready: Promise<() => Promise<void>>

  constructor(store: Source, user: string) {
    this.ready = store.wakeups.subscribe(user, wakeup => {
      for (const member of this.members) {
        if (wakeup.kind === 'gap' || wakeup.device === member.actor.device) member.wake(wakeup)
      }
    })
  }

  remove(consumer: Consumer): boolean {
    const others = this.members.filter(member => member !== consumer)
    const removed = others.length < this.members.length
    this.members = others
    return removed
  }
}
