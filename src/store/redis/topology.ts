// Which primary serves which partition: one for all of them, or as the cluster's slot map says at this moment.
import { Cluster, type Redis } from 'ioredis'
import { PARTITIONS } from '../partition.js'
import type { Client } from './clients.js'
import { slotOf } from './keys.js'

const SLOTS = Array.from({ length: PARTITIONS }, (_, partition) => slotOf(partition))
const ONLY = 'primary'

/** Names the partition's primary; undefined while nobody is known to serve it. */
export function primaryOf(client: Client, partition: number): string | undefined {
  return client instanceof Cluster ? client.slots[SLOTS[partition] ?? 0]?.[0] : ONLY
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

/** The client that talks to this primary, to be duplicated. */
export function nodeOf(client: Client, primary: string): Redis | undefined {
  if (!(client instanceof Cluster)) return client
  return client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === primary)
}

/** Asks the cluster anew; harmless when there is none. */
export function refreshTopology(client: Client): void {
  if (client instanceof Cluster) client.refreshSlotsCache()
}

export interface Topology {
  /**
   * All keys lie on one server, so one script may touch any of them. What the server says of itself decides, not the URL: a Cluster
   * of one node refuses scripts that touch two slots.
   */
  isOneServer(): boolean
  /** False until the server has answered: until then no command is sent, so no key is chosen by a guess. */
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
