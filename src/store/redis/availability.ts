// Checks once a second whether every primary answers and accepts writes. A command that fails makes the store unavailable until the next
// successful check. The replies also carry the server's time, its epoch, and whether it is a node of a Cluster.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.js'
import { AppError } from '../../errors.js'
import type { Client } from './clients.js'
import { toFault } from './faults.js'
import { primaryCheckKey } from './keys.js'
import { askPrimary } from './scripts.js'
import type { TimeSample } from './server-clock.js'
import { onePartitionEach } from './topology.js'

const CHECK_EVERY_MS = 1_000
/** Most repetitions of a check whose replies leave the time uncertain. */
const REPEATS_MAX = 8
/**
 * After a refused write the store is available again only when no write has been refused for this long. A store at its limit accepts one
 * write and refuses the next; without this a node would alternate between ready and not ready.
 */
const SETTLED_AFTER_MS = 5_000

export interface PrimaryReply {
  /** One of the primary's partitions. */
  readonly partition: number
  readonly time: TimeSample
  /** The epoch of the server, see lua/epoch.lua. */
  readonly epoch: string
  readonly isInCluster: boolean
}

/** By primary; the primary of the lowest partition first. */
export type PrimaryReplies = ReadonlyMap<string, PrimaryReply>

export interface AvailabilityMonitor {
  /** Since when the store has been available; null while it is not. */
  since(): number | null
  /** Why the store is not available; null while it is. */
  fault(): AppError | null
  /** Checks now. Resolves when the check and its listeners have finished. */
  check(): Promise<void>
  /** Called with the replies of each check, before the store counts as available. Must not reject. */
  onReplies(listen: (replies: PrimaryReplies) => Promise<void> | void): void
  /** A command failed: the store is unavailable until a check that starts after this succeeds. */
  reportFault(cause: unknown): void
  stop(): void
}

interface Options {
  /** The clock of `since`. */
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** Called with the time of the primary of the lowest partition, before `since` is set. False: measure again. */
  readonly onTime: (sample: TimeSample) => boolean
}

/** Resolves when all primaries have replied. Rejects if one of them refuses writes. */
export async function askPrimaries(client: Client): Promise<PrimaryReplies> {
  const partitions = [...onePartitionEach(client)]
  if (client.status !== 'ready' || partitions.length === 0) throw new Error(`the connection is ${client.status}`)
  const replies = await Promise.all(partitions.map(([, partition]) => askPrimaryOf(client, partition)))
  return new Map(replies.map((reply, i) => [partitions[i]?.[0] ?? '', reply]))
}

async function askPrimaryOf(client: Client, partition: number): Promise<PrimaryReply> {
  const sentAt = performance.now()
  const reply = await askPrimary(command => command(client), [primaryCheckKey(partition)], [])
  const [seconds, microseconds, epoch, isInCluster] = reply
  const serverAt = Number(seconds) * 1000 + Number(microseconds) / 1000
  return {
    partition,
    time: { sentAt, receivedAt: performance.now(), serverAt },
    epoch,
    isInCluster: isInCluster === 1
  }
}

/** Runs on real time, also when a test moves `clock` by hand: it watches a real connection. */
export function createAvailabilityMonitor(client: Client, { clock, log, onTime }: Options): AvailabilityMonitor {
  const listeners: ((replies: PrimaryReplies) => Promise<void> | void)[] = []
  let since: number | null = null
  let fault: unknown = toFault(new Error('not connected yet'))
  let faults = 0
  /** On the monotonic clock of this process. */
  let refusedAt = Number.NEGATIVE_INFINITY
  let checking: Promise<void> | null = null
  let isStopped = false

  function reportFault(cause: unknown): void {
    faults++
    fault = toFault(cause)
    if (fault instanceof AppError && fault.code === 'store_full') refusedAt = performance.now()
    if (since !== null && !isStopped) log.warn({ err: fault }, 'store unavailable')
    since = null
  }

  async function checkOnce(): Promise<void> {
    const before = faults
    try {
      const replies = await askForTime()
      for (const listen of listeners) await listen(replies)
      if (since !== null || faults !== before || performance.now() - refusedAt < SETTLED_AFTER_MS) return
      since = clock.now()
      log.info('store available')
    } catch (error) {
      reportFault(error)
    }
  }

  /** Repeats the check while the round trip is too long to tell the time. That is common while the process starts. */
  async function askForTime(): Promise<PrimaryReplies> {
    for (let n = 1; ; n++) {
      const replies = await askPrimaries(client)
      const [lowest] = replies.values()
      if (lowest === undefined || onTime(lowest.time) || n === REPEATS_MAX) return replies
    }
  }

  function check(): Promise<void> {
    checking ??= checkOnce().finally(() => {
      checking = null
    })
    return checking
  }

  const onClose = () => reportFault(new Error('the connection closed'))
  client.on('ready', check)
  client.on('close', onClose)
  const timer = setInterval(check, CHECK_EVERY_MS).unref()
  void check()
  return {
    since: () => since,
    fault: () => (since === null && fault instanceof AppError ? fault : null),
    check,
    onReplies: listen => void listeners.push(listen),
    reportFault,
    stop() {
      isStopped = true
      clearInterval(timer)
      client.off('ready', check)
      client.off('close', onClose)
    }
  }
}
