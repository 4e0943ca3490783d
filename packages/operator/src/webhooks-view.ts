// Webhooks: the destinations and their state; of one of them what was not delivered, and the last attempts.
import { button, el, setText } from '../../page-parts/src/dom.js'
import type { DeadLetter, Webhook, WebhookDelivery } from './api.js'
import { quoted, showText } from './confirm.js'
import { createListing } from './listing.js'
import { part } from './requests.js'
import { createTable, type RowAction } from './table.js'
import { countText, jsonText, timeText } from './texts.js'
import type { OpenView, Part, Shell, View } from './view.js'

export const openWebhooks: OpenView = (shell, [webhookId]) =>
  webhookId === undefined ? destinationsView(shell) : destinationView(shell, webhookId)

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
    setText(
      backlog,
      `${countText(waiting.queues, 'queue')} of events on all nodes${due}. State, delivering and waiting are of the node that answers.`
    )
  }
  return { title: 'Webhooks', element: el('div', { class: 'card stack' }, table.element, backlog), refresh }
}

const enable = ({ api, act }: Shell, { webhookId, origin }: Webhook): RowAction => ({
  label: 'Enable',
  name: `Enable ${origin}`,
  run: () =>
    act({
      run: () => api.send('POST', `/admin/webhooks/${part(webhookId)}/enable`),
      done: `${origin} receives events again. Its dead letters are not sent by themselves: replay them.`
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
  const { api, act, reread } = shell
  const listing = createListing<DeadLetter>({
    ...{ caption: 'Dead letters', empty: 'No dead letters: every event was delivered, or is still tried.' },
    ...{ cursor: 'before', reread },
    keyOf: ({ deadLetterId }) => deadLetterId,
    columns: [
      { head: 'Given up at', text: ({ at }) => timeText(at) },
      { head: 'Event', text: ({ type }) => type },
      { head: 'About', text: ({ source }) => `${source.kind} ${source.id}` },
      { head: 'Reason', text: ({ reason }) => reason.replaceAll('_', ' ') },
      { head: 'Message', text: ({ messageId }) => messageId }
    ],
    actions: letter => letterActions(shell, webhookId, letter),
    read: async (query, signal) => {
      const reply = await api.send('GET', `/admin/webhooks/${part(webhookId)}/dead-letters`, { query, signal })
      return { rows: reply.deadLetters, next: reply.next }
    }
  })
  const replayAll = button('Replay all', () =>
    act({
      question: {
        title: 'Replay all dead letters?',
        text: [
          'The events of this destination that were not delivered are sent again, the oldest first, at most 1,000 of them.'
        ],
        label: 'Replay all'
      },
      run: () => api.send('POST', `/admin/webhooks/${part(webhookId)}/dead-letters/replay`),
      done: 'The dead letters are sent again.'
    })
  )
  const head = el('div', { class: 'row head' }, el('h3', {}, 'Dead letters'), el('div', { class: 'end' }, replayAll))
  return { element: el('section', { class: 'card stack' }, head, listing.element), refresh: listing.refresh }
}

function letterActions(
  { api, act }: Shell,
  webhookId: string,
  { deadLetterId, type, source }: DeadLetter
): RowAction[] {
  const path = `/admin/webhooks/${part(webhookId)}/dead-letters/${part(deadLetterId)}` as const
  const what = `${type} of ${source.kind} ${source.id}`
  return [
    {
      label: 'Look',
      name: `Look at ${what}`,
      run: () =>
        act({
          run: async () => showText('Dead letter', jsonText(await api.send('GET', path))),
          done: ''
        })
    },
    {
      label: 'Replay',
      name: `Replay ${what}`,
      run: () => act({ run: () => api.send('POST', `${path}/replay`), done: 'The event is sent again.' })
    },
    {
      label: 'Delete',
      name: `Delete ${what}`,
      isDangerous: true,
      run: () =>
        act({
          question: {
            title: 'Delete this dead letter?',
            text: [
              'The event ',
              quoted(type),
              ` of ${source.kind} `,
              quoted(source.id),
              ' is never sent, and cannot be read again.'
            ],
            label: 'Delete'
          },
          run: () => api.send('DELETE', path),
          done: 'The dead letter is deleted.'
        })
    }
  ]
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
  return {
    element: el('section', { class: 'card stack' }, el('h3', {}, 'Deliveries'), listing.element),
    refresh: listing.refresh
  }
}
