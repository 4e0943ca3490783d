// Which replication history each partition stands on. A server that restarts, or is promoted, begins another one, and may lack writes
// that were acknowledged before. Every node notes that in the partitions, and announces a gap to those who listen there.
import type { FastifyBaseLogger } from 'fastify'
import type { LostWrites } from '../lost-writes.js'
import { PARTITIONS, partitionOf } from '../partition.js'
import type { PrimaryReplies } from './availability.js'
import type { Channels } from './channels.js'
import type { Attempt, Client } from './clients.js'
import { toFault } from './faults.js'
import { epochKey } from './keys.js'
import { recordEpoch } from './scripts.js'
import { primaryOf } from './topology.js'

export interface Epochs {
  /** Compares the replies with what was seen before, and notes what is news. Never rejects. */
  observe(replies: PrimaryReplies): Promise<void>
  onLostWrites(listen: (where: LostWrites) => void): () => void
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
  const listeners = new Set<(where: LostWrites) => void>()

  /** Resolves to whether the partition stands on another history than this node has seen. */
  async function note(partition: number): Promise<boolean> {
    const epoch = await recordEpoch(attempt, [epochKey(partition)], [])
    const before = seen.get(partition)
    seen.set(partition, epoch)
    return before !== undefined && before !== epoch
  }

  /** The partitions whose primary is on another history than they were seen on: none while nothing happens. */
  function newsIn(replies: PrimaryReplies): number[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(partition => {
      const epoch = replies.get(primaryOf(client, partition) ?? '')?.epoch
      return epoch !== undefined && epoch !== seen.get(partition)
    })
  }

  function announce(partitions: ReadonlySet<number>): void {
    log.warn(
      { partitions: partitions.size },
      'a Redis server restarted or failed over: devices that it keeps get a reset'
    )
    channels.announceGap(partitions)
    const serverOf = (id: string) => {
      const partition = partitionOf(id)
      return partitions.has(partition) ? (primaryOf(client, partition) ?? '') : null
    }
    for (const listen of listeners) listen({ serverOf })
  }

  async function observe(replies: PrimaryReplies): Promise<void> {
    const news = newsIn(replies)
    const results = await Promise.allSettled(news.map(note))
    for (const result of results) {
      if (result.status === 'fulfilled') continue
      log.debug({ err: toFault(result.reason) }, 'epochs not noted yet')
      break
    }
    const changed = news.filter((_, i) => results[i]?.status === 'fulfilled' && results[i].value)
    if (changed.length > 0) announce(new Set(changed))
  }

  return {
    observe,
    onLostWrites(listen) {
      listeners.add(listen)
      return () => listeners.delete(listen)
    }
  }
}
