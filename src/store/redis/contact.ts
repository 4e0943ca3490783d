// Whether every primary answers and takes writes, and since when: asked once a second, and doubted at the first command that fails.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.js'
import { AppError } from '../../errors.js'
import type { Client } from './clients.js'
import { toFault } from './faults.js'
import { pulseKey } from './keys.js'
import { askPrimary } from './scripts.js'
import type { TimeSample } from './server-clock.js'
import { onePartitionEach } from './topology.js'

const ASK_EVERY_MS = 1_000
/** In a row, while the answers leave the time uncertain. */
const QUESTIONS_MAX = 8
/**
 * After a write was refused there is contact again once writes have been taken for this long. A store at its limit takes one write and
 * refuses the next: without this a node would be ready and not ready by turns.
 */
const SETTLED_AFTER_MS = 5_000

export interface Contact {
  since(): number | null
  /** What the contact was lost for; null while there is contact. */
  fault(): AppError | null
  /** Asks now. Resolves when the answer, or the lack of one, is known. */
  ask(): Promise<void>
  /** Something failed: there is no contact until the next answer to a question asked after this. */
  lose(cause: unknown): void
  stop(): void
}

interface Options {
  /** The time that contact is dated by. */
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** What the primary of the lowest partition says of the time. Called before contact is dated. False: ask again. */
  readonly onTime: (sample: TimeSample) => boolean
}

/** Resolves when all primaries have answered, to the time at that of the lowest partition. Fails if one of them takes no writes. */
export async function askAll(client: Client): Promise<TimeSample> {
  const partitions = [...onePartitionEach(client).values()]
  if (client.status !== 'ready' || partitions.length === 0) throw new Error(`the connection is ${client.status}`)
  const [lowest] = await Promise.all(partitions.map(partition => askOne(client, partition)))
  return lowest as TimeSample
}

async function askOne(client: Client, partition: number): Promise<TimeSample> {
  const sentAt = performance.now()
  const [seconds, microseconds] = await askPrimary(command => command(client), [pulseKey(partition)], [])
  return { sentAt, receivedAt: performance.now(), serverAt: Number(seconds) * 1000 + Number(microseconds) / 1000 }
}

/** Runs on real time: it watches a real thing, also when a test moves its clock by hand. */
export function createContact(client: Client, { clock, log, onTime }: Options): Contact {
  let since: number | null = null
  let fault: unknown = toFault(new Error('not connected yet'))
  let losses = 0
  /** On the monotonic clock of this process. */
  let refusedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | null = null
  let isStopped = false

  function lose(cause: unknown): void {
    losses++
    fault = toFault(cause)
    if (fault instanceof AppError && fault.code === 'store_full') refusedAt = performance.now()
    if (since !== null && !isStopped) log.warn({ err: fault }, 'lost contact with the store')
    since = null
  }

  async function askOnce(): Promise<void> {
    const before = losses
    try {
      // A process that is busy, at its start above all, sees long round trips, which say little of the time.
      for (let n = 0; n < QUESTIONS_MAX; n++) if (onTime(await askAll(client))) break
      if (since !== null || losses !== before || performance.now() - refusedAt < SETTLED_AFTER_MS) return
      since = clock.now()
      log.info('in contact with the store')
    } catch (error) {
      lose(error)
    }
  }

  function ask(): Promise<void> {
    asking ??= askOnce().finally(() => {
      asking = null
    })
    return asking
  }

  const onClose = () => lose(new Error('the connection closed'))
  client.on('ready', ask)
  client.on('close', onClose)
  const timer = setInterval(ask, ASK_EVERY_MS).unref()
  void ask()
  return {
    since: () => since,
    fault: () => (since === null && fault instanceof AppError ? fault : null),
    ask,
    lose,
    stop() {
      isStopped = true
      clearInterval(timer)
      client.off('ready', ask)
      client.off('close', onClose)
    }
  }
}
