// Webhooks: the destinations and their state; of one of them what was not delivered, and the last attempts.
import { el, setText } from '../../page-parts/src/dom.js'
import type { DeadLetter, Webhook, WebhookDelivery } from './api.js'
import { createDeadLetters } from './dead-letters.js'
import { createListing } from './listing.js'
import { part } from './requests.js'
import { createTable, type RowAction } from './table.js'
import { countText, timeText } from './texts.js'
import type { OpenView, Part, Shell, View } from './view.js'

export const openWebhooks: OpenView = (shell, [webhookId]) =>
  webhookId === undefined ? destinationsView(shell) : destinationView(shell, webhookId)

const NODE_NOTE = 'State, delivering and waiting are those of the node that answers.'

function destinationsView(shell: Shell): View {
  const backlog = el('p', { class: 'quiet' })
  const table = createTable<Webhook>({
    caption: 'Webhooks',
    empty: 'No webhooks are set: WEBHOOK_URLS is empty.',
    keyOf: ({ webhookId }) => webhookId,
    columns: [
      { head: 'Destination', text: ({ origin }) => origin, href: ({ webhookId }) => `#webhooks/${part(webhookId)}` },
      { head: 'Id', text: ({ webhookId }) => webhookId },
      { head: 'State', text: ({ state }) => state, state: ({ state }) => state },
      { head: 'Disabled at', text: ({ disabledAt }) => timeText(disabledAt) },
      { head: 'Delivering', text: ({ delivering }) => String(delivering) },
      { head: 'Waiting', text: ({ waiting }) => String(waiting) },
      { head: 'Events', text: ({ types }) => types.join(', ') }
    ],
    actions: webhook => (webhook.state === 'up' ? [] : [enable(shell, webhook)])
  })
  const refresh = async (signal: AbortSignal) => {
    const { webhooks, backlog: waiting } = await shell.api.send('GET', '/admin/webhooks', { signal })
    table.show(webhooks)
    const due = waiting.dueAt === null ? '' : `, the first of them due at ${timeText(waiting.dueAt)}`
    setText(backlog, `${countText(waiting.queues, 'queue')} of events on all nodes${due}. ${NODE_NOTE}`)
  }
  return { title: 'Webhooks', element: el('div', { class: 'card stack' }, table.element, backlog), refresh }
}

const enable = ({ api, act }: Shell, { webhookId, origin }: Webhook): RowAction => ({
  label: 'Enable',
  name: `Enable ${origin}`,
  run: () =>
    act({
      run: async () => {
        await api.send('POST', `/admin/webhooks/${part(webhookId)}/enable`)
        return `${origin} receives events again. Its dead letters are not sent by themselves: replay them.`
      }
    })
})

function destinationView(shell: Shell, webhookId: string): View {
  const letters = deadLetters(shell, webhookId)
  const attempts = deliveries(shell, webhookId)
  const back = el('a', { href: '#webhooks' }, 'All webhooks')
  const element = el('div', { class: 'stack' }, back, letters.element, attempts.element)
  const refresh = async (signal: AbortSignal) => {
    await letters.refresh(signal)
    await attempts.refresh(signal)
  }
  return { title: `Webhook ${webhookId}`, element, refresh }
}

function deadLetters(shell: Shell, webhookId: string): Part {
  const path = `/admin/webhooks/${part(webhookId)}/dead-letters` as const
  return createDeadLetters<DeadLetter>(shell, {
    path,
    empty: 'No dead letters: every event was delivered, or is still tried.',
    columns: [
      { head: 'Given up at', text: ({ at }) => timeText(at) },
      { head: 'Event', text: ({ type }) => type },
      { head: 'About', text: ({ source }) => `${source.kind} ${source.id}` },
      { head: 'Reason', text: ({ reason }) => reason.replaceAll('_', ' ') },
      { head: 'Message', text: ({ messageId }) => messageId }
    ],
    whatOf: ({ type, source }) => ({ kind: `event ${type} of ${source.kind}`, id: source.id }),
    read: async (query, signal) => {
      const { deadLetters: rows, next } = await shell.api.send('GET', path, { query, signal })
      return { rows, next }
    },
    replayAllText:
      'The events of this destination that were not delivered are sent again, the oldest first, at most 1,000.',
    replayAll: async () => {
      const { replayed, left } = await shell.api.send('POST', `${path}/replay`)
      return `${countText(replayed, 'event')} sent again, ${left} left.`
    }
  })
}

function deliveries({ api, reread }: Shell, webhookId: string): Part {
  const listing = createListing<WebhookDelivery>({
    ...{ caption: 'Deliveries', empty: 'No attempts yet.' },
    ...{ cursor: 'before', reread },
    keyOf: ({ messageId, attempt, at }) => `${messageId} ${attempt} ${at}`,
    columns: [
      { head: 'At', text: ({ at }) => timeText(at) },
      { head: 'Event', text: ({ type }) => type },
      { head: 'About', text: ({ source }) => `${source.kind} ${source.id}` },
      { head: 'Attempt', text: ({ attempt }) => String(attempt) },
      { head: 'Outcome', text: ({ outcome }) => outcome.replaceAll('_', ' '), state: ({ outcome }) => outcome },
      { head: 'Reply', text: ({ status, error }) => (status === null ? (error ?? 'none') : String(status)) },
      { head: 'Took', text: ({ durationMs }) => `${durationMs} ms` }
    ],
    read: async (query, signal) => {
      const reply = await api.send('GET', `/admin/webhooks/${part(webhookId)}/deliveries`, { query, signal })
      return { rows: reply.deliveries, next: reply.next }
    }
  })
  const element = el('section', { class: 'card stack' }, el('h3', {}, 'Deliveries'), listing.element)
  return { element, refresh: listing.refresh }
}
