// The list of requests and events, newest last.
import { curlOf, curlOfEvent, tokenIn } from './curl.js'
import { button, el, setText } from './dom.js'
import type { Wire, WireEntry, WireEvent, WireRequest } from './wire.js'

const SHOWN_MAX = 400
/** What comes every few seconds, and what only the timeline of this page asks for. */
const isQuiet = (entry: WireEntry) =>
  entry.kind === 'event' ? entry.type === 'heartbeat' : entry.url.endsWith('/timeline')

interface Filters {
  person: string | null
  hasQuiet: boolean
  hasToken: boolean
}

export function wireView(wire: Wire, people: readonly { name: string; hue: number }[]): HTMLElement {
  const filters: Filters = { person: null, hasQuiet: false, hasToken: false }
  const list = el('ol', { class: 'entries', tabindex: '0', 'aria-label': 'Requests and events' })
  const rows = new Map<WireEntry, Row>()
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
    // Follows the newest one, unless the user has scrolled up to read.
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40
    list.append(row.element)
    dropOldest(rows)
    if (isAtEnd) list.scrollTop = list.scrollHeight
  })
  wire.on('updated', entry => rows.get(entry)?.render())
  const bar = filterBar({
    people: people.map(({ name }) => name),
    filters,
    changed: filterAll,
    clear: () => clear(rows)
  })
  return el(
    'section',
    { class: 'card wire', 'aria-labelledby': 'wire-title' },
    el('h2', { id: 'wire-title' }, 'Wire'),
    bar,
    list
  )
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
  clear(): void
}

function filterBar({ people, filters, changed, clear }: BarOptions): HTMLElement {
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
  return el('div', { class: 'row filters' }, select, ...flags, button('Clear', clear))
}

// ── One row ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Row {
  readonly element: HTMLElement
  render(): void
}

interface RowOptions {
  readonly hue: number
  readonly filters: Filters
  /** The request itself, or the last one of the person. */
  readonly request: WireRequest | null
}

function createRow(entry: WireEntry, { hue, filters, request }: RowOptions): Row {
  const outcome = el('span', { class: 'outcome' })
  const what = entry.kind === 'request' ? `${entry.method} ${pathOf(entry.url)}` : entry.type
  const isRequest = entry.kind === 'request'
  const arrow = el(
    'span',
    { class: 'arrow', 'aria-label': isRequest ? 'request' : 'event', role: 'img' },
    isRequest ? '→' : '←'
  )
  const name = el('span', { class: 'who' }, entry.person)
  const summary = el('summary', {}, el('time', {}, clockOf(entry.at)), name, arrow, el('code', {}, what), outcome)
  const details = el('details', {}, summary)
  const copy = button('Copy as curl', () =>
    navigator.clipboard.writeText(command()).then(() => setText(copy, 'Copied'))
  )
  const command = () => {
    const token = filters.hasToken && request ? tokenIn(request) : null
    if (entry.kind === 'request') return curlOf(entry, { token })
    return request ? curlOfEvent(entry, request, { token }) : ''
  }
  const body = el('div', { class: 'body' })
  const render = () => {
    if (entry.kind === 'request') showOutcome(outcome, entry)
    else setText(outcome, entry.isRepeat ? 'repeated' : '')
    if (details.open) body.replaceChildren(copy, ...(entry.kind === 'request' ? requestBody(entry) : eventBody(entry)))
  }
  details.addEventListener('toggle', () => {
    setText(copy, 'Copy as curl')
    render()
  })
  details.append(body)
  render()
  return { element: el('li', { class: `entry ${entry.kind} hue-${hue}` }, details), render }
}

function showOutcome(outcome: HTMLElement, { status, ms, note }: WireRequest): void {
  const text = status === null ? '…' : status === 0 ? '' : `${status} · ${ms} ms`
  setText(outcome, [text, note].filter(Boolean).join(' · '))
  outcome.dataset.state = status === null ? 'open' : status === 0 || status >= 400 ? 'failed' : 'done'
}

const requestBody = ({ body, reply }: WireRequest) => [...section('Body', body), ...section('Reply', reply)]

const eventBody = ({ id, data }: WireEvent) => [...section('Cursor', id), ...section('Data', JSON.stringify(data))]

function section(title: string, text: string | null): HTMLElement[] {
  if (text === null || text === '') return []
  return [el('h3', {}, title), el('pre', { tabindex: '0', 'aria-label': title }, pretty(text))]
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).replaceAll('\\r\\n', '\n')
  } catch {
    return text
  }
}

/** Without the server; long ids are shortened. */
const pathOf = (url: string) => url.replace(/^.*?\/v1\//, '/v1/').replace(/[0-9a-f]{32}/g, id => `${id.slice(0, 6)}…`)

function clockOf(at: number): string {
  const date = new Date(at)
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
