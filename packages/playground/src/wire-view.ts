// The list of requests and events, newest last.
import { button, el } from '../../page-parts/src/dom.js'
import { followEnd } from './follow-end.js'
import type { Wire, WireEntry, WireRequest } from './wire.js'
import { createRow, type Row, type RowFilters } from './wire-row.js'

const SHOWN_MAX = 400
/** What comes every few seconds, and what only the timeline of this page asks for. */
const isQuiet = (entry: WireEntry) =>
  entry.kind === 'event' ? entry.type === 'heartbeat' : entry.url.endsWith('/timeline')

interface Filters extends RowFilters {
  person: string | null
  hasQuiet: boolean
  hasToken: boolean
}

interface WireViewOptions {
  readonly people: readonly { name: string; hue: number }[]
  /** Whether commands have the token, until the user of the page chooses otherwise. */
  readonly hasToken: boolean
}

export function wireView(wire: Wire, { people, hasToken }: WireViewOptions): HTMLElement {
  const filters: Filters = { person: null, hasQuiet: false, hasToken }
  const list = el('ol', { class: 'entries', tabindex: '0', 'aria-label': 'Requests and events' })
  const rows = new Map<WireEntry, Row>()
  const newest = button('Newest', () => {
    toEnd()
    list.focus()
  })
  newest.hidden = true
  const { follow, toEnd } = followEnd(list, isFollowing => {
    newest.hidden = isFollowing
  })
  const lastRequests = new Map<string, WireRequest>()
  const filterAll = () => {
    for (const [entry, { element }] of rows) element.hidden = !passes(entry, filters)
    follow()
  }
  wire.on('added', entry => {
    if (entry.kind === 'request') lastRequests.set(entry.person, entry)
    const hue = people.find(({ name }) => name === entry.person)?.hue ?? 0
    const row = createRow(entry, { hue, filters, request: lastRequests.get(entry.person) ?? null })
    row.element.hidden = !passes(entry, filters)
    rows.set(entry, row)
    list.append(row.element)
    dropOldest(rows)
    follow()
  })
  wire.on('updated', entry => {
    rows.get(entry)?.render()
    follow()
  })
  const clearAll = () => {
    clear(rows)
    toEnd()
  }
  const title = el('h2', { id: 'wire-title' }, 'Wire')
  const head = el(
    'div',
    { class: 'row head' },
    title,
    el('div', { class: 'row end' }, newest, button('Clear', clearAll))
  )
  const note = el('p', { class: 'quiet' }, 'Every request → and event ←. Open one to read it, or to copy it as curl.')
  const bar = filterBar({ people: people.map(({ name }) => name), filters, changed: filterAll })
  return el('section', { class: 'card wire', 'aria-labelledby': title.id }, head, note, bar, list)
}

const passes = (entry: WireEntry, { person, hasQuiet }: Filters) =>
  (person === null || entry.person === person) && (hasQuiet || !isQuiet(entry))

function dropOldest(rows: Map<WireEntry, Row>): void {
  const [oldest] = rows
  if (rows.size > SHOWN_MAX && oldest) {
    oldest[1].element.remove()
    rows.delete(oldest[0])
  }
}

function clear(rows: Map<WireEntry, Row>): void {
  for (const { element } of rows.values()) element.remove()
  rows.clear()
}

interface BarOptions {
  readonly people: readonly string[]
  readonly filters: Filters
  changed(): void
}

function filterBar({ people, filters, changed }: BarOptions): HTMLElement {
  const select = el('select', { 'aria-label': 'Whose' }, ...['Everyone', ...people].map(name => el('option', {}, name)))
  select.addEventListener('change', () => {
    filters.person = select.selectedIndex === 0 ? null : select.value
    changed()
  })
  const heartbeats = el('input', { type: 'checkbox' })
  heartbeats.addEventListener('change', () => {
    filters.hasQuiet = heartbeats.checked
    changed()
  })
  const tokens = el('input', { type: 'checkbox', checked: filters.hasToken })
  tokens.addEventListener('change', () => {
    filters.hasToken = tokens.checked
  })
  const flags = [
    el('label', { class: 'flag' }, heartbeats, 'Heartbeats and timeline'),
    el('label', { class: 'flag' }, tokens, 'Token in curl')
  ]
  return el('div', { class: 'row filters' }, select, ...flags)
}
