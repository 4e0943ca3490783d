// Whether every primary replies and takes writes, and since when: asked once a second, and doubted at the first command that fails. The
// replies also say what time it is, whether the servers are a Cluster, and which replication history they are on.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.js'
import { AppError } from '../../errors.js'
import type { Client } from './clients.js'
import { toFault } from './faults.js'
import { primaryCheckKey } from './keys.js'
import { askPrimary } from './scripts.js'
import type { TimeSample } from './server-clock.js'
import { onePartitionEach } from './topology.js'

const ASK_EVERY_MS = 1_000
/** In a row, while the replies leave the time uncertain. */
const QUESTIONS_MAX = 8
/**
 * After a write was refused there is contact again once writes have been taken for this long. A store at its limit takes one write and
 * refuses the next: without this a node would be ready and not ready by turns.
 */
const SETTLED_AFTER_MS = 5_000

/** What a primary says of itself. */
export interface PrimaryReply {
  /** One of its partitions. */
  readonly partition: number
  readonly time: TimeSample
  /** Its replication history: see lua/epoch.lua. */
  readonly epoch: string
  readonly isInCluster: boolean
}

/** By primary; that of the lowest partition first. */
export type PrimaryReplies = ReadonlyMap<string, PrimaryReply>

export interface AvailabilityMonitor {
  since(): number | null
  /** What the contact was lost for; null while there is contact. */
  fault(): AppError | null
  /** Asks now. Resolves when the replies, or the lack of one, are known and those who listen to them are done. */
  ask(): Promise<void>
  /** Called with all replies to each question, before there is contact. Must not reject. */
  onReplies(listen: (replies: PrimaryReplies) => Promise<void> | void): void
  /** Something failed: there is no contact until the next reply to a question asked after this. */
  reportFault(cause: unknown): void
  stop(): void
}

interface Options {
  /** The time that contact is dated by. */
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** What the primary of the lowest partition says of the time. Called before contact is dated. False: ask again. */
  readonly onTime: (sample: TimeSample) => boolean
}

/** Resolves when all primaries have answered. Fails if one of them takes no writes. */
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

/** Runs on real time: it watches a real thing, also when a test moves its clock by hand. */
export function createAvailabilityMonitor(client: Client, { clock, log, onTime }: Options): AvailabilityMonitor {
  const listeners: ((replies: PrimaryReplies) => Promise<void> | void)[] = []
  let since: number | null = null
  let fault: unknown = toFault(new Error('not connected yet'))
  let losses = 0
  /** On the monotonic clock of this process. */
  let refusedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | null = null
  let isStopped = false

  function reportFault(cause: unknown): void {
    losses++
    fault = toFault(cause)
    if (fault instanceof AppError && fault.code === 'store_full') refusedAt = performance.now()
    if (since !== null && !isStopped) log.warn({ err: fault }, 'lost contact with the store')
    since = null
  }

  async function askOnce(): Promise<void> {
    const before = losses
    try {
      const replies = await askForTime()
      for (const listen of listeners) await listen(replies)
      if (since !== null || losses !== before || performance.now() - refusedAt < SETTLED_AFTER_MS) return
      since = clock.now()
      log.info('in contact with the store')
    } catch (error) {
      reportFault(error)
    }
  }

  /** A process that is busy, at its start above all, sees long round trips, which say little of the time. */
  async function askForTime(): Promise<PrimaryReplies> {
    for (let n = 1; ; n++) {
      const replies = await askPrimaries(client)
      const [lowest] = replies.values()
      if (lowest === undefined || onTime(lowest.time) || n === QUESTIONS_MAX) return replies
    }
  }

  function ask(): Promise<void> {
    asking ??= askOnce().finally(() => {
      asking = null
    })
    return asking
  }

  const onClose = () => reportFault(new Error('the connection closed'))
  client.on('ready', ask)
  client.on('close', onClose)
  const timer = setInterval(ask, ASK_EVERY_MS).unref()
  void ask()
  return {
    since: () => since,
    fault: () => (since === null && fault instanceof AppError ? fault : null),
    ask,
    onReplies: listen => void listeners.push(listen),
    reportFault,
    stop() {
      isStopped = true
      clearInterval(timer)
      client.off('ready', ask)
      client.off('close', onClose)
    }
  }
}
