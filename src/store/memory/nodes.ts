import { NODE_ALIVE_MS, NODE_KEPT_MS, type NodeReport, type Nodes } from '../nodes.js'

export function createMemoryNodes(): Nodes {
  const reports = new Map<string, NodeReport>()
  const orders = new Map<string, 'drain' | 'resume'>()
  const isLive = (report: NodeReport | undefined, now: number): report is NodeReport =>
    report !== undefined && now - report.seenAt < NODE_ALIVE_MS

  async function remove(node: string): Promise<void> {
    reports.delete(node)
    orders.delete(node)
  }

  return {
    async report(node, { text, now }) {
      reports.set(node, { node, text, seenAt: now })
      for (const other of reports.values()) if (now - other.seenAt >= NODE_KEPT_MS) await remove(other.node)
      return orders.get(node) ?? null
    },
    list: async now => [...reports.values()].filter(report => isLive(report, now)),
    async order(node, { drain, now }) {
      if (!isLive(reports.get(node), now)) return false
      orders.set(node, drain ? 'drain' : 'resume')
      return true
    },
    remove
  }
}
