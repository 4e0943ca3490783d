// The nodes that share the store, and draining them.
import { el } from '../../page-parts/src/dom.js'
import type { Node } from './api.js'
import { quoted } from './confirm.js'
import { part } from './requests.js'
import { createTable, type RowAction } from './table.js'
import { timeText } from './texts.js'
import type { OpenView, Shell } from './view.js'

export const openNodes: OpenView = shell => {
  const table = createTable<Node>({
    caption: 'Nodes',
    empty: 'No node has reported in the last seconds.',
    keyOf: ({ nodeId }) => nodeId,
    columns: [
      { head: 'Host', text: ({ host, self }) => (self ? `${host} (answers this page)` : host) },
      { head: 'State', text: ({ state }) => state, state: ({ state }) => state },
      { head: 'Streams', text: ({ streams }) => String(streams) },
      { head: 'Polls', text: ({ polls }) => String(polls) },
      { head: 'Version', text: ({ version }) => version },
      { head: 'Started', text: ({ startedAt }) => timeText(startedAt) },
      { head: 'Id', text: ({ nodeId }) => nodeId }
    ],
    actions: node => actionsOf(shell, node)
  })
  const refresh = async (signal: AbortSignal) => {
    const { nodes } = await shell.api.send('GET', '/admin/nodes', { signal })
    table.show(nodes)
  }
  return { title: 'Nodes', element: el('div', { class: 'card' }, table.element), refresh }
}

const DRAIN_EFFECT =
  ' gets no new clients, and tells those it has to connect again. The process goes on. You can take it back.'

function actionsOf(shell: Shell, node: Node): RowAction[] {
  const { nodeId, host, state } = node
  if (state === 'closing') return []
  if (state !== 'ready') return [{ label: 'Resume', name: `Resume ${host} ${nodeId}`, run: () => resume(shell, node) }]
  return [{ label: 'Drain', name: `Drain ${host} ${nodeId}`, isDangerous: true, run: () => drain(shell, node) }]
}

function drain({ api, act }: Shell, { nodeId, host }: Node): void {
  act({
    question: {
      title: 'Drain this node?',
      text: ['Node ', quoted(nodeId), ' on ', quoted(host), DRAIN_EFFECT],
      label: 'Drain'
    },
    run: async () => {
      await api.send('PUT', `/admin/nodes/${part(nodeId)}/drain`)
      return 'The node begins to drain within two seconds.'
    }
  })
}

function resume({ api, act }: Shell, { nodeId }: Node): void {
  act({
    run: async () => {
      await api.send('DELETE', `/admin/nodes/${part(nodeId)}/drain`)
      return 'The node takes clients again within two seconds.'
    }
  })
}
