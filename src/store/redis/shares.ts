// Which node reads which partitions' timers on a Cluster: rendezvous hashing over the live nodes. A node that comes or goes moves only the
// partitions that it reads; all other nodes keep theirs.
import { hashOf, PARTITIONS } from '../partition.js'

/** A partition is read by its owner and, in case that node has died, by the next in order. */
const READERS = 2

/** The nodes that read a partition, the owner first. Every process must agree, whatever order it knows the nodes in. */
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
