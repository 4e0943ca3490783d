// The admin API about nodes: which run, and draining them.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { DrainReply, NodePath, NodesReply } from '../schemas/admin-node.js'
import { adminProblems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { drainNode, listNodes } from '../services/operator/nodes.js'

const tags = ['nodes'] as const

const LIST_NODES = {
  schema: {
    operationId: 'listNodes',
    tags,
    summary: 'List the nodes',
    description: 'Returns the nodes that share the store, as each of them reported itself within the last seconds.',
    response: { 200: NodesReply, ...adminProblems() }
  }
} as const

const DRAIN_NODE = {
  config: { optionalBody: true },
  schema: {
    operationId: 'drainNode',
    tags,
    summary: 'Drain a node',
    description:
      'Within two seconds the node is not ready. After `DRAIN_SETTLE_MS` it tells the clients of its streams to connect again, spread over ' +
      '`DRAIN_WINDOW_MS`. The process goes on: it serves clients that still connect, and does its background work. Ask any node. A process that starts ' +
      'again is not drained. You may drain the last node, too: then no node is ready.',
    params: NodePath,
    response: { 200: DrainReply, ...adminProblems('node_not_found') }
  }
} as const

const RESUME_NODE = {
  schema: {
    operationId: 'resumeNode',
    tags,
    summary: 'Take a drain back',
    description:
      'Within two seconds the node is ready again. Streams that were sent away come back when their clients connect again.',
    params: NodePath,
    response: { 200: DrainReply, ...adminProblems('node_not_found') }
  }
} as const

export const adminNodeRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/nodes', LIST_NODES, () => listNodes(context))
  app.put('/nodes/:nodeId/drain', DRAIN_NODE, ({ params }) => drainNode(context, params.nodeId, true))
  app.delete('/nodes/:nodeId/drain', RESUME_NODE, ({ params }) => drainNode(context, params.nodeId, false))
}
