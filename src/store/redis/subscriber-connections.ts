// The connections that listen, one to each primary. ioredis connects them again by itself; what they were listening to is
// subscribed anew by channels.ts, which must know when that is done. (ioredis's own sharded subscribers do not tell.)
import type { FastifyBaseLogger } from 'fastify'
import { Cluster, type Redis } from 'ioredis'
import { type Client, disconnect, persistent, reconnectAfter, untilReady } from './clients.js'
import { withoutCommand } from './faults.js'
import { partitionIn } from './keys.js'
import { nodeOf, onePartitionEach, primaryOf, refreshTopology } from './topology.js'

export interface SubscriberConnection {
  readonly redis: Redis
  /** Resolves once Redis has confirmed. */
  subscribe(channel: string): Promise<void>
  /** Channels that Redis confirmed on the present connection. */
  readonly subscribed: Set<string>
  /** Settles when it is ready for the first time, or has not been for too long. */
  readonly opened: Promise<void>
}

export interface SubscriberConnections {
  /** The connection that serves the partition, opened if need be; undefined while no primary is known for it. */
  of(partition: number): SubscriberConnection | undefined
  /** Drops the connection and its connection; the next `of` opens another. */
  drop(partition: number): void
  /** Drops connections to what is no primary any more. */
  prune(): void
  close(): Promise<void>
}

export interface SubscriberEvents {
  onMessage(channel: string, text: string): void
  /** A connection is ready, or has lost channels: compare what is subscribed with what should be. */
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
    const redis = persistent(
      node.duplicate({
        autoResubscribe: false,
        enableOfflineQueue: false,
        retryStrategy: reconnectAfter,
        lazyConnect: false
      })
    )
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
    // A slot has moved away, and its channels with it; which ones, ioredis does not say. Hearing one twice does no harm.
    redis.on('moved', () => {
      subscribed.clear()
      refreshTopology(client)
      events.onChange()
    })
  }

  function shut(primary: string): Promise<void> {
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
      if (primary !== undefined) void shut(primary)
    },
    prune() {
      const primaries = onePartitionEach(client)
      // An empty slot map means that the cluster is being asked, not that there are no primaries.
      if (primaries.size === 0) return
      for (const primary of connections.keys()) if (!primaries.has(primary)) void shut(primary)
    },
    async close() {
      isClosed = true
      await Promise.all([...connections.keys()].map(shut))
    }
  }
}

/** What is subscribed in one turn of the event loop is one command; on a Cluster one for each slot, as its commands may name no two. */
function createSubscribe(redis: Redis, client: Client): SubscriberConnection['subscribe'] {
  const groupOf = client instanceof Cluster ? partitionIn : () => 0
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
