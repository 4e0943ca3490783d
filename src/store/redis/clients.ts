// The connections to Redis, and how long anyone waits for them. A command is answered, or fails within about two seconds; no
// command is queued for a Redis that is away, and none is sent a second time when it may have been executed already.
import type { FastifyBaseLogger } from 'fastify'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

import { parseRedisUrl, type RedisAddress } from '../../redis-url.js'
import { hasCode, toFault, unavailable, withoutCommand } from './faults.js'
import { SILENCE_MS, watchSilence } from './silence.js'

export type Client = Redis | Cluster

/** Runs a command; every fault of Redis comes out of it as store_unavailable. */
export type Attempt = <T>(command: (client: Client) => Promise<T>) => Promise<T>

const RECONNECT_MAX_MS = 500
const CLOSE_WITHIN_MS = 3_000

export const reconnectAfter = (times: number): number => Math.min(20 * 2 ** Math.min(times, 6), RECONNECT_MAX_MS)

/** @throws Error when the URL is malformed; a Redis that is away is waited for in the background */
export function createClient(url: string, log: FastifyBaseLogger): Client {
  const address = parseRedisUrl(url)
  const client = address.topology === 'cluster' ? clusterClient(address) : singleClient(address)
  // Every attempt to connect fails the same way: availability.ts logs what matters, once.
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
    new Redis({
      ...commonOptions(address),
      ...where,
      db: address.db,
      enableOfflineQueue: false,
      retryStrategy: reconnectAfter,
      // A primary that was demoted under us: connect again, and Sentinel (or DNS) names the new one.
      reconnectOnError: error => hasCode(error, 'READONLY')
    })
  )
}

/**
 * Never gives up before `disconnect`. Sentinel's word of a new primary makes ioredis close its connection; coming while ioredis
 * asks for the primary, it passes for our own wish to close, and the connection would end for good in the midst of a failover.
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
  const cluster = new Cluster([...address.hosts], {
    redisOptions: commonOptions(address),
    // Certificates name hosts: with TLS those must be dialled by name, not by the address they resolve to.
    ...(address.tls && { dnsLookup: (host: string, done: (error: null, host: string) => void) => done(null, host) }),
    clusterRetryStrategy: reconnectAfter,
    // Redirections are followed, they were not executed. A closed connection leaves that open: the caller decides.
    maxRedirections: 6,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: SILENCE_MS
  })
  return cluster.on('+node', watchSilence)
}

interface AttemptOptions {
  /** Called with the cause of every command that failed because Redis did. */
  readonly onFault: (cause: unknown) => void
  /** False until Redis has said what time it is and whether it is a Cluster: dates and keys depend on that. */
  readonly isKnown: () => boolean
}

export function createAttempt(client: Client, { onFault, isKnown }: AttemptOptions): Attempt {
  const gatherWrites = createGathering(client)
  return async command => {
    if (client.status !== 'ready') throw unavailable(new Error(`the connection is ${client.status}`))
    if (!isKnown()) throw unavailable(new Error('Redis has not answered yet'))
    gatherWrites()
    try {
      return await command(client)
    } catch (error) {
      const fault = toFault(error)
      if (fault !== error) onFault(error)
      throw fault
    }
  }
}

/** What is sent to Redis in one turn of the event loop leaves in one write: a system call costs more than most commands. */
function createGathering(client: Client): () => void {
  let gathering = false
  return () => {
    if (gathering) return
    gathering = true
    const connections = client instanceof Redis ? [client] : client.nodes('master')
    const streams = connections.flatMap(({ stream }) => stream ?? [])
    for (const stream of streams) stream.cork()
    setImmediate(() => {
      gathering = false
      for (const stream of streams) stream.uncork()
    })
  }
}

/** Resolves once it is ready, or after `ms`: a server may start before its Redis does. */
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

/** Resolves when the last socket is closed, after a few seconds at the latest. */
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
    // Between two attempts there is no socket, and nothing whose end ioredis would announce.
    if (status === 'reconnecting') done()
  })
}
