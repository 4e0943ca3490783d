// The nodes in Redis: their reports, when each was made, and the orders for them, in one partition.
import { NODE_ALIVE_MS, NODE_KEPT_MS, type Nodes } from '../nodes.js'
import type { RunCommand } from './clients.js'
import { NODE_KEYS } from './keys.js'
import { orderNode, removeNode, reportNode } from './scripts.js'

export function createRedisNodes(runCommand: RunCommand): Nodes {
  const { seen, reports, orders } = NODE_KEYS
  return {
    async report(node, { text, now }) {
      const order = await reportNode(runCommand, [seen, reports, orders], [node, text, now, NODE_KEPT_MS])
      return order === '' ? null : order
    },
    async list(now) {
      const flat = await runCommand(client =>
        client.zrangebyscore(seen, `(${now - NODE_ALIVE_MS}`, '+inf', 'WITHSCORES')
      )
      const live = flat.flatMap((node, i) => (i % 2 === 0 ? [{ node, seenAt: Number(flat[i + 1]) }] : []))
      if (live.length === 0) return []
      const texts = await runCommand(client => client.hmget(reports, ...live.map(({ node }) => node)))
      // A node may have been removed since.
      return live.flatMap((each, i) => (texts[i] ? [{ ...each, text: texts[i] }] : []))
    },
    async order(node, { drain, now }) {
      const order = drain ? 'drain' : 'resume'
      return (await orderNode(runCommand, [seen, orders], [node, order, now - NODE_ALIVE_MS])) === 'OK'
    },
    async remove(node) {
      await removeNode(runCommand, [seen, reports, orders], [node])
    }
  }
}
