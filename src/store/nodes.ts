// Part of the port in store.ts: the nodes that share the store, and which of them operators have drained.

/** A node that has not reported for this long is dead, or cannot reach the store. */
export const NODE_ALIVE_MS = 5_000
/** The report and the order of a node outlive its last report for this long: it may reach the store again. */
export const NODE_KEPT_MS = 600_000

export interface NodeReport {
  readonly node: string
  /** JSON. */
  readonly text: string
  readonly seenAt: number
}

export interface Nodes {
  /** The node lives. Resolves to the last order for it; null: there was none, or it is forgotten. */
  report(node: string, report: { text: string; now: number }): Promise<'drain' | 'resume' | null>
  /** The live nodes, in no order. */
  list(now: number): Promise<readonly NodeReport[]>
  /** The node learns it with its next report. False: no live node has this name. */
  order(node: string, order: { drain: boolean; now: number }): Promise<boolean>
  /** The node has ended. */
  remove(node: string): Promise<void>
}
