// Connections to Redis and their time limits. A command is answered or fails within about two seconds. No command is queued while Redis is
// unreachable, and none that may have been executed is sent again.
import type { FastifyBaseLogger } from 'fastify'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

import { parseRedisUrl, type RedisAddress } from '../../redis-url.js'
import { hasCode, toFault, unavailable, withoutCommand } from './faults.js'
import { SILENCE_MS, watchSilence } from './silence.js'

// The compiler needs seconds to compare two of these types, which have hundreds of commands. So that it need not: `'slots' in client` and not
// `instanceof` tells them apart, `<'legacy'>` names the type parameter, and a duplicate is a constant before it is passed on.
export type Client = Redis | Cluster

/**
 * Runs a command, which is answered or fails within about two seconds.
 * @throws AppError store_unavailable, store_full for every fault of Redis
 */
export type RunCommand = <T>(command: (client: Client) => Promise<T>) => Promise<T>

const RECONNECT_MAX_MS = 500
const CLOSE_WITHIN_MS = 3_000

export const reconnectAfter = (times: number): number => Math.min(20 * 2 ** Math.min(times, 6), RECONNECT_MAX_MS)

/**
 * Connects in the background.
 * @throws Error only if the URL is malformed
 */
export function createClient(url: string, log: FastifyBaseLogger): Client {
  const address = parseRedisUrl(url)
  const client = address.topology === 'cluster' ? clusterClient(address) : singleClient(address)
  // Debug only: availability.ts logs once that the store is unavailable.
  client.on('error', error => log.debug({ err: withoutCommand(error) }, 'redis connection'))
  return client
}

function commonOptions({ username, password, tls }: RedisAddress): Omit<RedisOptions, 'replyMapping'> {
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: SILENCE_MS,
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: RECONNECT_MAX_MS
  }
}

function singleClient(address: RedisAddress): Redis {
  const [first] = address.hosts
  const where = address.topology === 'sentinel' ? sentinelOptions(address) : { ...first }
  return persistent(
    new Redis<'legacy'>({
      ...commonOptions(address),
      ...where,
      db: address.db,
      enableOfflineQueue: false,
      retryStrategy: reconnectAfter,
      // The primary was demoted: reconnect, and Sentinel (or DNS) names the new one.
      reconnectOnError: error => hasCode(error, 'READONLY')
    })
  )
}

/**
 * Reconnects until `disconnect`. When Sentinel announces a new primary while ioredis asks for the primary, ioredis takes the resulting close
 * for an intended one and would stay closed.
 */
export function persistent(redis: Redis): Redis {
  return watchSilence(redis).on('end', connectAgain)
}

function connectAgain(this: Redis): void {
  this.connect().catch(() => {})
}

function sentinelOptions({ hosts, name, tls, username, password }: RedisAddress) {
  return {
    sentinels: [...hosts],
    name,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    ...(username && { sentinelUsername: username }),
    ...(password && { sentinelPassword: password }),
    sentinelRetryStrategy: reconnectAfter,
    sentinelCommandTimeout: SILENCE_MS,
    failoverDetector: true
  }
}

function clusterClient(address: RedisAddress): Cluster {
  const cluster = new Cluster<'legacy'>([...address.hosts], {
    redisOptions: commonOptions(address),
    // With TLS connect by host name, because certificates name hosts.
    ...(address.tls && { dnsLookup: (host: string, done: (error: null, host: string) => void) => done(null, host) }),
    clusterRetryStrategy: reconnectAfter,
    // Redirected commands were not executed and are sent again. After a closed connection that is unknown: the caller decides.
    maxRedirections: 6,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: SILENCE_MS
  })
  return cluster.on('+node', watchSilence)
}

interface RunCommandOptions {
  /** Called with the cause of every fault of Redis. */
  readonly onFault: (cause: unknown) => void
  /** False until Redis has reported its time and whether it is a Cluster: instants and keys depend on that. */
  readonly isKnown: () => boolean
}

export function createRunCommand(client: Client, { onFault, isKnown }: RunCommandOptions): RunCommand {
  const batchWrites = createWriteBatching(client)
  return async command => {
    if (client.status !== 'ready') throw unavailable(new Error(`the connection is ${client.status}`))
    if (!isKnown()) throw unavailable(new Error('Redis has not answered yet'))
    batchWrites()
    try {
      return await command(client)
    } catch (error) {
      const fault = toFault(error)
      if (fault !== error) onFault(error)
      throw fault
    }
  }
}

/** Sends all commands of one turn of the event loop in one write, because a system call costs more than most commands. */
function createWriteBatching(client: Client): () => void {
  let batching = false
  return () => {
    if (batching) return
    batching = true
    const streams = connectionsOf(client).flatMap(({ stream }) => stream ?? [])
    for (const stream of streams) stream.cork()
    setImmediate(() => {
      batching = false
      for (const stream of streams) stream.uncork()
    })
  }
}

/** To the server, or to each primary of the Cluster. */
export const connectionsOf = (client: Client): readonly Redis[] =>
  'slots' in client ? client.nodes('master') : [client]

/** Resolves once the client is ready, or after `ms`. */
export function untilReady(client: Client, ms: number): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      client.off('ready', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    client.once('ready', done)
  })
}

/** Resolves when the last socket is closed, or after CLOSE_WITHIN_MS. */
export function disconnect(client: Client): Promise<void> {
  const { status } = client
  client.off('end', connectAgain)
  if (status === 'end') return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      client.off('end', done)
      resolve()
    }
    const timer = setTimeout(done, CLOSE_WITHIN_MS)
    client.once('end', done)
    client.disconnect()
    // Between two connection attempts there is no socket, and ioredis emits no 'end'.
    if (status === 'reconnecting') done()
  })
}
