// Which replication history each partition stands on. A server that restarts, or is promoted, begins another one, and may lack writes
// that were acknowledged before. Every node notes that in the partitions, and tells whoever listens there that there is a gap.
import type { FastifyBaseLogger } from 'fastify'
import type { Forgotten } from '../forgotten.js'
import { PARTITIONS, partitionOf } from '../partition.js'
import type { Channels } from './channels.js'
import type { Attempt, Client } from './clients.js'
import { toFault } from './faults.js'
import { epochKey } from './keys.js'
import { noteEpoch } from './scripts.js'
import { onePartitionEach, primaryOf } from './topology.js'

/** Real time: it watches a real thing. */
const LOOK_EVERY_MS = 1_000

export interface Epochs {
  /** Looks now. Never rejects. */
  look(): Promise<void>
  onForgotten(listen: (where: Forgotten) => void): () => void
  stop(): void
}

interface Parts {
  readonly client: Client
  readonly attempt: Attempt
  readonly channels: Pick<Channels, 'announceGap'>
  readonly log: FastifyBaseLogger
}

export function createEpochs({ client, attempt, channels, log }: Parts): Epochs {
  /** What this node has seen noted, by partition. */
  const seen = new Map<number, string>()
  const listeners = new Set<(where: Forgotten) => void>()
  let looking: Promise<void> | null = null

  /** Resolves to whether the partition stands on another history than this node has seen. */
  async function note(partition: number): Promise<boolean> {
    const epoch = await noteEpoch(attempt, [epochKey(partition)], [])
    const before = seen.get(partition)
    seen.set(partition, epoch)
    return before !== undefined && before !== epoch
  }

  /** One question to each primary, and one for each of its partitions if the answer is news. */
  async function noteAll(): Promise<number[]> {
    const found = await Promise.all(
      [...onePartitionEach(client)].map(async ([primary, first]) => {
        const changed = (await note(first)) ? [first] : []
        const epoch = seen.get(first)
        const others = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(
          partition => seen.get(partition) !== epoch && primaryOf(client, partition) === primary
        )
        const isNews = await Promise.all(others.map(note))
        return [...changed, ...others.filter((_, i) => isNews[i])]
      })
    )
    return found.flat()
  }

  async function lookOnce(): Promise<void> {
    try {
      const changed = await noteAll()
      if (changed.length === 0) return
      log.warn(
        { partitions: changed.length },
        'a Redis server restarted or failed over: devices that it keeps get a reset'
      )
      const partitions = new Set(changed)
      channels.announceGap(partitions)
      const serverOf = (id: string) => {
        const partition = partitionOf(id)
        return partitions.has(partition) ? (primaryOf(client, partition) ?? '') : null
      }
      for (const listen of listeners) listen({ serverOf })
    } catch (error) {
      log.debug({ err: toFault(error) }, 'epochs not noted yet')
    }
  }

  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = null
    })
    return looking
  }

  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  client.on('ready', look)
  return {
    look,
    onForgotten(listen) {
      listeners.add(listen)
      return () => listeners.delete(listen)
    },
    stop() {
      clearInterval(timer)
      client.off('ready', look)
    }
  }
}
