// Calls: those that live, and one of them, or one that has ended, with its timeline.
import { button, el, setText } from '../../page-parts/src/dom.js'
import { entryText } from '../../page-parts/src/timeline-text.js'
import type { AdminCall, CalleeStatus, TimelineEntry } from './api.js'
import { quoted } from './confirm.js'
import { createFacts, type Fact } from './facts.js'
import { findForm } from './find-form.js'
import { createListing } from './listing.js'
import { part } from './requests.js'
import { startCallForm } from './start-call.js'
import { createTable } from './table.js'
import { jsonText, partyText, timeText } from './texts.js'
import type { OpenView, Part, Shell, View } from './view.js'

export const openCalls: OpenView = (shell, [callId]) =>
  callId === undefined ? liveCallsView(shell) : callView(shell, callId)

/** Whom it rings, or who has answered. */
const calledUsers = ({ callee, callees = [] }: AdminCall) => (callee ? [callee] : callees)

function endCall({ api, act }: Shell, call: AdminCall): void {
  const { callId, caller } = call
  const parties = [quoted(caller.user), ...calledUsers(call).flatMap(({ user }) => [' and ', quoted(user)])]
  const effect = ' ends at once. Their devices learn that the server has ended it.'
  act({
    question: {
      title: 'End this call?',
      text: ['Call ', quoted(callId), ' of ', ...parties, effect],
      label: 'End call'
    },
    run: async () => {
      await api.send('POST', `/admin/calls/${part(callId)}/end`)
      return 'The call has ended.'
    }
  })
}

function liveCallsView(shell: Shell): View {
  const { api, reread } = shell
  const listing = createListing<AdminCall>({
    ...{ caption: 'Live calls', empty: 'No call lives now.' },
    ...{ cursor: 'after', reread },
    keyOf: ({ callId }) => callId,
    columns: [
      { head: 'Call', text: ({ callId }) => callId, href: ({ callId }) => `#calls/${part(callId)}` },
      { head: 'State', text: ({ state }) => state, state: ({ state }) => state },
      { head: 'Caller', text: ({ caller }) => partyText(caller), href: ({ caller }) => `#users/${part(caller.user)}` },
      { head: 'Callee', text: call => calledUsers(call).map(partyText).join(', ') },
      { head: 'Created', text: ({ createdAt }) => timeText(createdAt) }
    ],
    actions: call => [
      { label: 'End', name: `End call ${call.callId}`, isDangerous: true, run: () => endCall(shell, call) }
    ],
    read: async (query, signal) => {
      const { calls, next } = await api.send('GET', '/admin/calls', { query, signal })
      return { rows: calls.toSorted(byAge), next }
    }
  })
  const find = findForm('Call by its id, also one that has ended', 'calls')
  const element = el('div', { class: 'stack' }, find, startCallForm(shell))
  element.append(el('div', { class: 'card' }, listing.element))
  return { title: 'Live calls', element, refresh: listing.refresh }
}

/** The server has no order, and rows must not move about. */
const byAge = (one: AdminCall, other: AdminCall) =>
  one.createdAt.localeCompare(other.createdAt) || one.callId.localeCompare(other.callId)

function callView(shell: Shell, callId: string): View {
  const facts = createFacts()
  const timeline = timelinePart(shell, callId)
  const back = el('a', { href: '#calls' }, 'All live calls')
  let shown: AdminCall | null = null
  const end = button('End call', () => shown && endCall(shell, shown), { class: 'danger', hidden: true })
  const card = el('section', { class: 'card stack', 'aria-label': 'Call' }, facts.element, el('div', {}, end))
  const element = el('div', { class: 'stack' }, back, card, timeline.element)
  const refresh = async (signal: AbortSignal) => {
    const { call } = await shell.api.send('GET', `/admin/calls/${part(callId)}`, { signal })
    shown = call
    facts.show(factsOf(call))
    end.toggleAttribute('hidden', call.state === 'ended')
    await timeline.refresh(signal)
  }
  return { title: 'Call', element, refresh }
}

/** `bob (laptop): answered`, `carol: ended, busy`. */
const calleeText = ({ state, reason, ...party }: CalleeStatus) =>
  `${partyText(party)}: ${[state, reason].filter(Boolean).join(', ').replaceAll('_', ' ')}`

function factsOf(call: AdminCall): Fact[] {
  const { caller, callee, callees = [], held, away } = call
  const sides = (flags: { readonly caller: boolean; readonly callee: boolean }) =>
    [flags.caller ? 'caller' : '', flags.callee ? 'callee' : ''].filter(Boolean).join(' and ')
  return [
    ['Id', call.callId],
    ['State', call.state],
    ['Caller', partyText(caller)],
    ['Callee', callee ? partyText(callee) : null],
    ['Called users', callees.map(calleeText).join('\n')],
    ['Media', call.media],
    ['Created', timeText(call.createdAt)],
    ['Answered', timeText(call.answeredAt)],
    ['Connected', timeText(call.connectedAt)],
    ['Ended', timeText(call.endedAt)],
    ['Reason', call.reason?.replaceAll('_', ' ') ?? null],
    ['Ended by', call.endedBy ? partyText(call.endedBy) : null],
    ['On hold by', sides(held)],
    ['Disconnected', sides(away)],
    ['Blocked', call.blocked ? 'the callee blocks the caller' : null],
    ['Metadata', Object.keys(call.metadata).length > 0 ? jsonText(call.metadata) : null]
  ]
}

function timelinePart({ api }: Shell, callId: string): Part {
  const omitted = el('p', { class: 'quiet' })
  const table = createTable<TimelineEntry & { readonly n: number; readonly ms: number }>({
    caption: 'Timeline',
    empty: 'Nothing happened yet.',
    keyOf: ({ n }) => String(n),
    columns: [
      { head: 'After', text: ({ ms }) => `${(ms / 1000).toFixed(2)} s` },
      { head: 'Who', text: ({ by }) => (by ? partyText(by) : 'the server') },
      { head: 'What', text: entryText },
      { head: 'At', text: ({ at }) => timeText(at) }
    ]
  })
  const refresh = async (signal: AbortSignal) => {
    const timeline = await api.send('GET', `/admin/calls/${part(callId)}/timeline`, { signal })
    const begin = Date.parse(timeline.entries[0]?.at ?? '')
    table.show(timeline.entries.map((entry, n) => ({ ...entry, n, ms: Date.parse(entry.at) - begin })))
    setText(omitted, timeline.omitted > 0 ? `${timeline.omitted} entries in the middle are not kept.` : '')
  }
  const element = el('section', { class: 'card stack' }, el('h3', {}, 'Timeline'), table.element, omitted)
  return { element, refresh }
}
