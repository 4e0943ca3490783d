// Listeners of sharded pub/sub channels, through lost connections, failovers and moved slots. Whenever something changes, each channel that has
// listeners and is not subscribed is subscribed; if it was subscribed before, its listeners get gap().
import type { FastifyBaseLogger } from 'fastify'
import type { Client } from './clients.js'
import { toFault, unavailable } from './faults.js'
import { partitionIn } from './keys.js'
import { createSubscriberConnections, type SubscriberConnection } from './subscriber-connections.js'

export interface Listener {
  receive(text: string): void
  /** Messages may have been lost until now. */
  gap(): void
}

export interface Channels {
  /**
   * Resolves once Redis has confirmed the subscription. The returned function removes the listener, which must not be added twice.
   * @throws AppError store_unavailable
   */
  listen(name: string, listener: Listener): Promise<() => Promise<void>>
  /** Calls gap() on all listeners to channels of these partitions. */
  announceGap(partitions: ReadonlySet<number>): void
  /** Replaces the subscriber connection that serves this partition. */
  rebuild(partition: number): void
  close(): Promise<void>
}

interface Channel {
  readonly name: string
  /** Replaced, never changed, because a listener may be removed during a call. An array, because a set takes six times the memory. */
  listeners: readonly Listener[]
  subscribing: Promise<void> | null
  /** Has been confirmed at least once: subscribing it again means that messages may have been lost. */
  wasSubscribed: boolean
}

/** Real time. A backstop for changes that no event announced. */
const CHECK_EVERY_MS = 1_000

export function createChannels(client: Client, log: FastifyBaseLogger): Channels {
  const channels = new Map<string, Channel>()
  const connections = createSubscriberConnections(client, { onMessage, onChange: resubscribe }, log)

  function onMessage(name: string, text: string): void {
    for (const listener of channels.get(name)?.listeners ?? []) listener.receive(text)
  }

  function resubscribe(): void {
    connections.prune()
    for (const channel of channels.values()) {
      const connection = connections.of(partitionIn(channel.name))
      if (connection?.redis.status !== 'ready' || connection.subscribed.has(channel.name)) continue
      subscribeOnce(connection, channel).catch(error =>
        log.debug({ err: toFault(error) }, 'channel not subscribed; it is tried again')
      )
    }
  }

  function subscribeOnce(connection: SubscriberConnection, channel: Channel): Promise<void> {
    channel.subscribing ??= subscribe(connection, channel).finally(() => {
      channel.subscribing = null
    })
    return channel.subscribing
  }

  async function subscribe(connection: SubscriberConnection, channel: Channel): Promise<void> {
    await connection.subscribe(channel.name)
    if (channels.get(channel.name) !== channel) {
      // The last listener was removed before the subscription was confirmed.
      if (!channels.has(channel.name)) await connection.redis.sunsubscribe(channel.name)
      return
    }
    connection.subscribed.add(channel.name)
    if (channel.wasSubscribed) for (const listener of channel.listeners) listener.gap()
    channel.wasSubscribed = true
  }

  async function ensureSubscribed(channel: Channel): Promise<void> {
    const connection = connections.of(partitionIn(channel.name))
    if (client.status !== 'ready' || !connection) throw unavailable(new Error('there is no connection to listen on'))
    await connection.opened
    if (connection.subscribed.has(channel.name)) return
    try {
      await subscribeOnce(connection, channel)
    } catch (error) {
      throw toFault(error)
    }
  }

  async function leave(channel: Channel, listener: Listener): Promise<void> {
    if (!channel.listeners.includes(listener)) return
    channel.listeners = channel.listeners.filter(other => other !== listener)
    if (channel.listeners.length > 0) return
    channels.delete(channel.name)
    const connection = connections.of(partitionIn(channel.name))
    connection?.subscribed.delete(channel.name)
    // Without a connection there is nothing to unsubscribe from.
    if (connection?.redis.status === 'ready') await connection.redis.sunsubscribe(channel.name).catch(() => {})
  }

  const timer = setInterval(resubscribe, CHECK_EVERY_MS).unref()
  client.on('refresh', resubscribe)
  return {
    async listen(name, listener) {
      const channel = channels.get(name) ?? { name, listeners: [], subscribing: null, wasSubscribed: false }
      channels.set(name, channel)
      channel.listeners = channel.listeners.concat(listener)
      try {
        await ensureSubscribed(channel)
      } catch (error) {
        await leave(channel, listener)
        throw error
      }
      return () => leave(channel, listener)
    },
    announceGap(partitions) {
      for (const { name, listeners } of channels.values()) {
        if (partitions.has(partitionIn(name))) for (const listener of listeners) listener.gap()
      }
    },
    rebuild(partition) {
      connections.drop(partition)
      resubscribe()
    },
    async close() {
      clearInterval(timer)
      client.off('refresh', resubscribe)
      channels.clear()
      await connections.close()
    }
  }
}
