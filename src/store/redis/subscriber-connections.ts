// Subscriber connections, one to each primary. ioredis reconnects them; channels.ts subscribes their channels again, because it must know when
// that is done. (The sharded subscribers of ioredis do not report it.)
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { type Client, disconnect, persistent, reconnectAfter, untilReady } from './clients.js'
import { withoutCommand } from './faults.js'
import { partitionIn } from './keys.js'
import { nodeOf, onePartitionEach, primaryOf, refreshTopology } from './topology.js'

export interface SubscriberConnection {
  readonly redis: Redis
  /** Resolves once Redis has confirmed. */
  subscribe(channel: string): Promise<void>
  /** The channels that Redis has confirmed since the connection was last opened. */
  readonly subscribed: Set<string>
  /** Resolves when the connection is first ready, or after OPEN_WITHIN_MS. */
  readonly opened: Promise<void>
}

export interface SubscriberConnections {
  /** The connection to the partition's primary, opened if necessary; undefined while no primary is known. */
  of(partition: number): SubscriberConnection | undefined
  /** Closes the connection; the next `of` opens another. */
  drop(partition: number): void
  /** Closes connections to servers that are no longer primaries. */
  prune(): void
  close(): Promise<void>
}

export interface SubscriberEvents {
  onMessage(channel: string, text: string): void
  /** A connection is ready, or has lost subscriptions. */
  onChange(): void
}

const OPEN_WITHIN_MS = 2_000

export function createSubscriberConnections(
  client: Client,
  events: SubscriberEvents,
  log: FastifyBaseLogger
): SubscriberConnections {
  const connections = new Map<string, SubscriberConnection>()
  let isClosed = false

  function open(primary: string): SubscriberConnection | undefined {
    const node = nodeOf(client, primary)
    if (!node || isClosed) return undefined
    const duplicate = node.duplicate({
      autoResubscribe: false,
      enableOfflineQueue: false,
      retryStrategy: reconnectAfter,
      lazyConnect: false
    })
    const redis = persistent(duplicate)
    const opened = untilReady(redis, OPEN_WITHIN_MS)
    const connection: SubscriberConnection = {
      redis,
      subscribe: createSubscribe(redis, client),
      subscribed: new Set(),
      opened
    }
    watch(connection)
    connections.set(primary, connection)
    return connection
  }

  function watch({ redis, subscribed }: SubscriberConnection): void {
    redis.on('error', error => log.debug({ err: withoutCommand(error) }, 'redis subscriber'))
    redis.on('smessage', events.onMessage)
    redis.on('ready', events.onChange)
    redis.on('close', () => subscribed.clear())
    // A slot and its channels have moved to another server; ioredis does not say which. Subscribing a channel twice does no harm.
    redis.on('moved', () => {
      subscribed.clear()
      refreshTopology(client)
      events.onChange()
    })
  }

  function close(primary: string): Promise<void> {
    const connection = connections.get(primary)
    if (!connection) return Promise.resolve()
    connections.delete(primary)
    connection.subscribed.clear()
    connection.redis.off('smessage', events.onMessage)
    connection.redis.off('ready', events.onChange)
    return disconnect(connection.redis)
  }

  return {
    of(partition) {
      const primary = primaryOf(client, partition)
      return primary === undefined ? undefined : (connections.get(primary) ?? open(primary))
    },
    drop(partition) {
      const primary = primaryOf(client, partition)
      if (primary !== undefined) void close(primary)
    },
    prune() {
      const primaries = onePartitionEach(client)
      // The slot map is empty while ioredis refreshes it.
      if (primaries.size === 0) return
      for (const primary of connections.keys()) if (!primaries.has(primary)) void close(primary)
    },
    async close() {
      isClosed = true
      await Promise.all([...connections.keys()].map(close))
    }
  }
}

/** Sends the subscriptions of one turn of the event loop as one command; on a Cluster as one for each slot. */
function createSubscribe(redis: Redis, client: Client): SubscriberConnection['subscribe'] {
  const groupOf = 'slots' in client ? partitionIn : () => 0
  const batches = new Map<number, { readonly channels: string[]; readonly done: Promise<void> }>()

  async function send(group: number, channels: readonly string[]): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    batches.delete(group)
    await redis.ssubscribe(...channels)
  }

  return channel => {
    const group = groupOf(channel)
    const channels = batches.get(group)?.channels ?? []
    channels.push(channel)
    const batch = batches.get(group) ?? { channels, done: send(group, channels) }
    batches.set(group, batch)
    return batch.done
  }
}
