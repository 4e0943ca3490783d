// One request or event in the list.

import { button, el, setText } from '../../page-parts/src/dom.js'
import { curlOf, curlOfEvent, tokenIn } from './curl.js'
import type { WireEntry, WireEvent, WireRequest } from './wire.js'

export interface Row {
  readonly element: HTMLElement
  render(): void
}

export interface RowFilters {
  /** Whether commands have the token, or read it from the variable TOKEN. */
  readonly hasToken: boolean
}

interface RowOptions {
  readonly hue: number
  readonly filters: RowFilters
  /** The request itself, or the last one of the person. */
  readonly request: WireRequest | null
}

export function createRow(entry: WireEntry, { hue, filters, request }: RowOptions): Row {
  const outcome = el('span', { class: 'outcome' })
  const refusal = el('span', { class: 'refusal' })
  const what = entry.kind === 'request' ? `${entry.method} ${pathOf(entry.url)}` : entry.type
  const isRequest = entry.kind === 'request'
  const arrow = el(
    'span',
    { class: 'arrow', 'aria-label': isRequest ? 'request' : 'event', role: 'img' },
    isRequest ? '→' : '←'
  )
  const name = el('span', { class: 'who' }, entry.person)
  const summary = el(
    'summary',
    {},
    el('time', {}, clockOf(entry.at)),
    name,
    arrow,
    el('span', {}, el('code', {}, ...breakable(what)), ' ', refusal),
    outcome
  )
  const details = el('details', {}, summary)
  const copy = button('Copy as curl', async () => {
    const isCopied = await copyText(command())
    setText(copy, isCopied ? 'Copied' : 'Copy it by hand:')
    if (!isCopied) copy.after(el('pre', { tabindex: '0', 'aria-label': 'curl' }, command()))
  })
  const command = () => {
    const token = filters.hasToken && request ? tokenIn(request) : null
    if (entry.kind === 'request') return curlOf(entry, { token })
    return request ? curlOfEvent(entry, request, { token }) : ''
  }
  const body = el('div', { class: 'body' })
  const render = () => {
    if (entry.kind === 'request') {
      showOutcome(outcome, entry)
      setText(refusal, codeOf(entry))
    } else setText(outcome, entry.note ?? '')
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

/** Pages without TLS have no clipboard, except on this machine. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

function showOutcome(outcome: HTMLElement, { status, ms, note }: WireRequest): void {
  const text = status === null ? '…' : status === 0 ? '' : `${status} · ${ms} ms`
  setText(outcome, [text, note].filter(Boolean).join(' · '))
  outcome.dataset.state = status === null ? 'open' : status === 0 || status >= 400 ? 'failed' : 'done'
}

/** Why it was refused. Some refusals are part of a call that goes well, such as `offer_collision`. */
function codeOf({ status, reply }: WireRequest): string {
  if (status === null || status < 400 || !reply) return ''
  try {
    return (JSON.parse(reply) as { code?: string }).code ?? ''
  } catch {
    return ''
  }
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

/** May break into lines behind each slash. */
const breakable = (text: string) => text.split(/(?<=\/)/).flatMap(part => [part, el('wbr')])

/** Minutes and seconds. */
function clockOf(at: number): string {
  const date = new Date(at)
  return `${date.toLocaleTimeString('en-GB').slice(3)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
