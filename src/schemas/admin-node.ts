// Nodes as operators see them (openapi/admin.yaml).
import { type Static, Type } from 'typebox'
import { Strict, Timestamp } from './common.js'

const NodeId = (description = 'A process. A node that starts again has another id.') =>
  Type.String({
    $id: 'NodeId',
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    description,
    examples: ['0b6f3c1a-9d52-4c77-8e21-6a4f0d9b7c35']
  })

export const NodePath = Type.Object({ nodeId: NodeId() }, { ...Strict })

export const NodeView = Type.Object(
  {
    nodeId: NodeId(),
    host: Type.String({
      description: 'The name of its machine; in Kubernetes that of the pod.',
      examples: ['signal-0']
    }),
    version: Type.String({ description: 'Of Signalpost.', examples: ['0.1.0'] }),
    startedAt: Timestamp('When the process started.'),
    seenAt: Timestamp('When the node last reported. It does so every second.'),
    state: Type.Enum(['ready', 'draining', 'drained', 'closing'], {
      $id: 'NodeState',
      description:
        '`ready`: it takes clients. `draining`: it is not ready, and its streams are sent away. `drained`: that is done. `closing`: its process ends.'
    }),
    streams: Type.Integer({ minimum: 0, description: 'Open event streams.' }),
    polls: Type.Integer({ minimum: 0, description: 'Waiting polls.' }),
    self: Type.Boolean({ description: 'Whether this node answers your request.' })
  },
  { $id: 'Node', description: 'A node, as it last reported itself.', ...Strict }
)
export type NodeView = Static<typeof NodeView>

export const NodesReply = Type.Object(
  { nodes: Type.Array(NodeView, { description: 'By host, then by when they started.' }) },
  { $id: 'NodesReply', description: 'The nodes that reported in the last five seconds.', ...Strict }
)
export type NodesReply = Static<typeof NodesReply>

export const DrainReply = Type.Object(
  { node: NodeView },
  { $id: 'DrainReply', description: 'The node, which may not have begun yet.', ...Strict }
)
export type DrainReply = Static<typeof DrainReply>
