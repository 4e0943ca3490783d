// Whether every primary answers, and since when: asked once a second, and doubted at the first command that fails.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.js'
import type { Client } from './clients.js'
import { toFault } from './faults.js'
import { pulseKey } from './keys.js'
import { onePartitionEach } from './topology.js'

const ASK_EVERY_MS = 1_000

export interface Contact {
  since(): number | null
  /** Asks now. Resolves when the answer, or the lack of one, is known. */
  ask(): Promise<void>
  /** Something failed: there is no contact until the next answer to a question asked after this. */
  lose(cause: unknown): void
  stop(): void
}

/** Resolves when all primaries have answered. */
export async function askAll(client: Client): Promise<void> {
  const partitions = [...onePartitionEach(client).values()]
  if (client.status !== 'ready' || partitions.length === 0) throw new Error(`the connection is ${client.status}`)
  await Promise.all(partitions.map(partition => client.exists(pulseKey(partition))))
}

/** Runs on real time: it watches a real thing, also when a test moves its clock by hand. */
export function createContact(client: Client, { clock, log }: { clock: Clock; log: FastifyBaseLogger }): Contact {
  let since: number | null = null
  let losses = 0
  let asking: Promise<void> | null = null
  let isStopped = false

  function lose(cause: unknown): void {
    losses++
    if (since !== null && !isStopped) log.warn({ err: toFault(cause) }, 'lost contact with the store')
    since = null
  }

  async function askOnce(): Promise<void> {
    const before = losses
    try {
      await askAll(client)
      if (since !== null || losses !== before) return
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
