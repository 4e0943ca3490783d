// Confirms with WAIT that replicas have all earlier writes. WAIT blocks its connection, so it has one of its own to each primary, shared by
// all requests that wait at the same time. WAIT covers the writes before the last write of its own connection; a small write is therefore
// sent just before it.
import type { Redis } from 'ioredis'
import { AppError } from '../../errors.js'
import { type Client, disconnect, persistent, reconnectAfter, untilReady } from './clients.js'
import { toFault } from './faults.js'
import { replicaKey } from './keys.js'
import { nodeOf, onePartitionEach } from './topology.js'

const WAIT_MS = 1_000
const KEY_TTL_MS = 60_000

export interface Replicas {
  /**
   * Resolves when enough replicas have all earlier writes.
   * @throws AppError store_unavailable
   */
  confirm(): Promise<void>
  close(): Promise<void>
}

interface WaitConnection {
  readonly redis: Redis
  /** The WAIT that runs now. It does not cover writes made after it started. */
  running: Promise<void> | null
  /** The WAIT that starts after `running`. */
  next: Promise<void> | null
}

export function createReplicas(client: Client, count: number): Replicas {
  const connections = new Map<string, WaitConnection>()

  function connectionTo(primary: string): WaitConnection | undefined {
    const known = connections.get(primary)
    const node = nodeOf(client, primary)
    if (known || !node) return known
    const duplicate = node.duplicate({ enableOfflineQueue: false, retryStrategy: reconnectAfter })
    const redis = persistent(duplicate)
    const connection: WaitConnection = { redis, running: null, next: null }
    connections.set(primary, connection)
    return connection
  }

  async function ask({ redis }: WaitConnection, partition: number): Promise<void> {
    try {
      if (redis.status !== 'ready') await untilReady(redis, WAIT_MS)
      // Sent together, in one round trip.
      const written = redis.set(replicaKey(partition), '', 'PX', KEY_TTL_MS)
      const [, reached] = await Promise.all([written, redis.wait(count, WAIT_MS)])
      if (reached < count)
        throw new AppError('store_unavailable', { detail: 'Too few replicas have the write yet. Repeat the request.' })
    } catch (error) {
      throw toFault(error)
    }
  }

  async function confirmAt(primary: string, partition: number): Promise<void> {
    const connection = connectionTo(primary)
    if (!connection) throw new AppError('store_unavailable')
    const start = () => {
      connection.next = null
      connection.running = ask(connection, partition).finally(() => {
        connection.running = null
      })
      return connection.running
    }
    if (connection.running === null) return start()
    connection.next ??= connection.running.catch(() => undefined).then(start)
    return connection.next
  }

  return {
    async confirm() {
      if (count === 0) return
      await Promise.all([...onePartitionEach(client)].map(([primary, partition]) => confirmAt(primary, partition)))
    },
    async close() {
      await Promise.all([...connections.values()].map(({ redis }) => disconnect(redis)))
    }
  }
}
