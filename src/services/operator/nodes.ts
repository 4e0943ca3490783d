// The nodes, and draining them. A node reports itself every second, and learns in the same step what operators have ordered: so any node takes
// the order for any other.
import { AppError } from '../../errors.js'
import type { DrainReply, NodesReply, NodeView } from '../../schemas/admin-node.js'
import type { NodeReport as StoredReport } from '../../store/nodes.js'
import type { Context } from '../context.js'

/** What a node says about itself. */
export type NodeReport = Omit<NodeView, 'nodeId' | 'seenAt' | 'self'>

/** Resolves to what operators want of this node; null: nothing new. */
export const reportNode = ({ store, clock, node }: Context, report: NodeReport): Promise<'drain' | 'resume' | null> =>
  store.nodes.report(node, { text: JSON.stringify(report), now: clock.now() })

export async function listNodes(context: Context): Promise<NodesReply> {
  const reports = await context.store.nodes.list(context.clock.now())
  const nodes = reports.map(report => view(context, report))
  const key = ({ host, startedAt, nodeId }: NodeView) => [host, startedAt, nodeId].join('\n')
  return { nodes: nodes.sort((a, b) => (key(a) < key(b) ? -1 : 1)) }
}

/** @throws AppError node_not_found */
export async function drainNode(context: Context, nodeId: string, drain: boolean): Promise<DrainReply> {
  const { store, clock } = context
  const isLive = await store.nodes.order(nodeId, { drain, now: clock.now() })
  const node = isLive && (await listNodes(context)).nodes.find(each => each.nodeId === nodeId)
  if (!node) throw new AppError('node_not_found')
  return { node }
}

const view = ({ node: self }: Context, { node, text, seenAt }: StoredReport): NodeView => ({
  nodeId: node,
  ...(JSON.parse(text) as NodeReport),
  seenAt: new Date(seenAt).toISOString(),
  self: node === self
})
