// The list of requests and events, newest last.
import { button, el } from './dom.js'
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

export function wireView(wire: Wire, people: readonly { name: string; hue: number }[]): HTMLElement {
  const filters: Filters = { person: null, hasQuiet: false, hasToken: false }
  const list = el('ol', { class: 'entries', tabindex: '0', 'aria-label': 'Requests and events' })
  const rows = new Map<WireEntry, Row>()
  const follow = followEnd(list)
  const lastRequests = new Map<string, WireRequest>()
  const filterAll = () => {
    for (const [entry, { element }] of rows) element.hidden = !passes(entry, filters)
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
  const title = el('h2', { id: 'wire-title' }, 'Wire')
  const head = el(
    'div',
    { class: 'row head' },
    title,
    button('Clear', () => clear(rows), { class: 'end' })
  )
  const bar = filterBar({ people: people.map(({ name }) => name), filters, changed: filterAll })
  return el('section', { class: 'card wire', 'aria-labelledby': title.id }, head, bar, list)
}

/** In px. */
const NEAR_END = 40

/** Keeps the end in view, also when rows or the list change their size, unless the user has scrolled up to read. */
function followEnd(list: HTMLElement): () => void {
  let isFollowing = true
  list.addEventListener('scroll', () => {
    isFollowing = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END
  })
  const follow = () => {
    if (isFollowing) list.scrollTop = list.scrollHeight
  }
  new ResizeObserver(follow).observe(list)
  return follow
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
  const tokens = el('input', { type: 'checkbox' })
  tokens.addEventListener('change', () => {
    filters.hasToken = tokens.checked
  })
  const flags = [
    el('label', { class: 'flag' }, heartbeats, 'Heartbeats, timeline'),
    el('label', { class: 'flag' }, tokens, 'curl with token')
  ]
  return el('div', { class: 'row filters' }, select, ...flags)
}
