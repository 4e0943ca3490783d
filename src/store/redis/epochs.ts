// Tracks the epoch of each partition. A server that restarts or is promoted begins another epoch and may lack writes that were acknowledged.
// Every node then records the new epoch in the partition and calls gap() on the listeners to its channels.
import type { FastifyBaseLogger } from 'fastify'
import type { LostWrites } from '../lost-writes.js'
import { PARTITIONS, partitionOf } from '../partition.js'
import type { PrimaryReplies } from './availability.js'
import type { Channels } from './channels.js'
import type { Client, RunCommand } from './clients.js'
import { toFault } from './faults.js'
import { epochKey } from './keys.js'
import { recordEpoch } from './scripts.js'
import { primaryOf } from './topology.js'

export interface Epochs {
  /** Compares the replies with the known epochs and records those that changed. Never rejects. */
  observe(replies: PrimaryReplies): Promise<void>
  onLostWrites(listen: (lost: LostWrites) => void): () => void
}

interface Parts {
  readonly client: Client
  readonly runCommand: RunCommand
  readonly channels: Pick<Channels, 'announceGap'>
  readonly log: FastifyBaseLogger
}

export function createEpochs({ client, runCommand, channels, log }: Parts): Epochs {
  /** The epochs this node knows, by partition. */
  const known = new Map<number, string>()
  const listeners = new Set<(lost: LostWrites) => void>()

  /** Resolves to whether the partition has another epoch than this node knew. */
  async function record(partition: number): Promise<boolean> {
    const epoch = await recordEpoch(runCommand, [epochKey(partition)], [])
    const before = known.get(partition)
    known.set(partition, epoch)
    return before !== undefined && before !== epoch
  }

  /** The partitions whose primary reports another epoch than this node knows. */
  function changedIn(replies: PrimaryReplies): number[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(partition => {
      const epoch = replies.get(primaryOf(client, partition) ?? '')?.epoch
      return epoch !== undefined && epoch !== known.get(partition)
    })
  }

  function announce(partitions: ReadonlySet<number>): void {
    log.warn({ partitions: partitions.size }, 'Redis server restarted or failed over; its devices get a reset')
    channels.announceGap(partitions)
    const serverOf = (id: string) => {
      const partition = partitionOf(id)
      return partitions.has(partition) ? (primaryOf(client, partition) ?? '') : null
    }
    for (const listen of listeners) listen({ serverOf })
  }

  async function observe(replies: PrimaryReplies): Promise<void> {
    const candidates = changedIn(replies)
    const results = await Promise.allSettled(candidates.map(record))
    for (const result of results) {
      if (result.status === 'fulfilled') continue
      log.debug({ err: toFault(result.reason) }, 'epochs not recorded; they are tried again')
      break
    }
    const changed = candidates.filter((_, i) => results[i]?.status === 'fulfilled' && results[i].value)
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
