// Assigns the partitions of a Cluster to the nodes that read their timers, by rendezvous hashing: a node that starts or stops changes only the
// assignment of its own partitions.
import { hashOf, PARTITIONS } from '../partition.js'

/** A partition is read by its owner and, in case that node has died, by the next node in order. */
const READERS = 2

/** The nodes that read a partition, the owner first. Does not depend on the order of `nodes`. */
export function readersOf(partition: number, nodes: readonly string[]): string[] {
  return nodes
    .map(node => ({ node, weight: hashOf(`${partition}:${node}`) }))
    .sort((a, b) => b.weight - a.weight || (a.node < b.node ? -1 : 1))
    .slice(0, READERS)
    .map(({ node }) => node)
}

/** The partitions that a node reads, in ascending order. */
export function shareOf(node: string, nodes: readonly string[]): number[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(partition =>
    readersOf(partition, nodes).includes(node)
  )
}
