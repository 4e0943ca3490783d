// Maps partitions to primaries: one primary for all, or as the current slot map of the Cluster says.
import type { Redis } from 'ioredis'
import { PARTITIONS } from '../partition.js'
import { type Client, connectionsOf } from './clients.js'
import { slotOf } from './keys.js'

const SLOTS = Array.from({ length: PARTITIONS }, (_, partition) => slotOf(partition))
const ONLY = 'primary'

/** The name of the partition's primary; undefined while none is known. */
export function primaryOf(client: Client, partition: number): string | undefined {
  return 'slots' in client ? client.slots[SLOTS[partition] ?? 0]?.[0] : ONLY
}

/** For each primary, one of its partitions. */
export function onePartitionEach(client: Client): Map<string, number> {
  const found = new Map<string, number>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const primary = primaryOf(client, partition)
    if (primary !== undefined && !found.has(primary)) found.set(primary, partition)
  }
  return found
}

/** The client of this primary, to be duplicated. */
export function nodeOf(client: Client, primary: string): Redis | undefined {
  if (!('slots' in client)) return client
  for (const node of connectionsOf(client)) if (`${node.options.host}:${node.options.port}` === primary) return node
  return undefined
}

/** Reads the slot map again. Does nothing without a Cluster. */
export function refreshTopology(client: Client): void {
  if ('slots' in client) client.refreshSlotsCache()
}

export interface Topology {
  /**
   * All keys lie on one server, so one script may touch any of them. The server reports this, not the URL: a Cluster of one node refuses
   * scripts that touch two slots.
   */
  isOneServer(): boolean
  /** False until the server has reported it. Until then no command is sent, because keys depend on it. */
  isKnown(): boolean
  observe(primaries: ReadonlyMap<string, { readonly isInCluster: boolean }>): void
}

export function createTopology(): Topology {
  let oneServer: boolean | null = null
  return {
    isOneServer: () => oneServer === true,
    isKnown: () => oneServer !== null,
    observe(primaries) {
      oneServer = ![...primaries.values()].some(({ isInCluster }) => isInCluster)
    }
  }
}
