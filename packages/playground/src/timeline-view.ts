// The sequence diagram of the current call, or of the last one. It is read again when something happens in the call.
import type { CallTimeline } from '../../client/src/api.js'
import type { Call } from '../../client/src/index.js'
import { el, setText } from '../../page-parts/src/dom.js'
import { drawDiagram, listSteps } from './diagram.js'
import type { Person } from './person.js'
import { type CallSides, SEVERAL, stallOf, stepsOf } from './timeline.js'
import type { Wire, WireEntry } from './wire.js'

/** Between two requests. */
const READ_EVERY_MS = 400
const TICK_MS = 200
/** A step that takes less is no wait. */
const STALL_MS = 800
const WIDTH_MIN = 300

interface Shown {
  /** As one of its people sees it, who is still in it if there is one. */
  call: Call
  timeline: CallTimeline | null
}

export function timelineView(people: readonly Person[], wire: Wire): HTMLElement {
  const status = el('p', { class: 'stall', role: 'status' })
  const elapsed = el('span', { class: 'elapsed', 'aria-hidden': 'true' })
  const figure = el('figure', {}, el('p', { class: 'empty' }, 'Make a call: its steps appear here.'))
  const title = el('h2', { id: 'timeline-title' }, 'Timeline')
  const element = el('section', { class: 'card timeline', 'aria-labelledby': title.id })
  element.append(title, el('div', { class: 'waits' }, status, elapsed), figure)
  let shown: Shown | null = null

  const draw = () => {
    if (!shown?.timeline) return
    const sides = sidesOf(shown.call)
    const steps = stepsOf(shown.timeline, sides)
    const width = Math.max(WIDTH_MIN, Math.floor(figure.clientWidth))
    figure.replaceChildren(drawDiagram(steps, sides, width), listSteps(steps, sides))
  }
  const read = throttle(async () => {
    const current = shown
    // The call is unknown to the server before its create has arrived.
    const timeline = await current?.call.timeline().catch(() => null)
    if (current && timeline) current.timeline = timeline
    draw()
    tick()
  }, READ_EVERY_MS)
  const tick = () => showStall(shown, status, elapsed)

  for (const person of people)
    person.on('call', call => {
      if (shown?.call.id !== call.id) shown = { call, timeline: null }
      // For a device whose user answered elsewhere, or who has transferred it, the call has ended; for the other side it goes on.
      else if (call.state !== 'ended') shown.call = call
      read()
    })
  const notice = (entry: WireEntry) => {
    if (shown && isAbout(entry, shown.call.id)) read()
  }
  wire.on('added', notice)
  wire.on('updated', notice)
  new ResizeObserver(draw).observe(element)
  setInterval(tick, TICK_MS)
  return element
}

const sidesOf = (call: Call): CallSides => ({
  caller: call.from.user,
  callee: call.to?.user ?? SEVERAL,
  offerer: call.offerer
})

function showStall(shown: Shown | null, status: HTMLElement, elapsed: HTMLElement): void {
  const { timeline, call } = shown ?? {}
  const end = call?.state === 'ended' ? call.reason : undefined
  const stall = timeline && call && !end ? stallOf(timeline, sidesOf(call)) : null
  const waitedMs = stall ? Date.now() - stall.since : 0
  const isStalled = stall !== null && waitedMs > STALL_MS
  setText(elapsed, isStalled ? `${(waitedMs / 1000).toFixed(1)} s` : '')
  setText(status, isStalled ? stall.text.replaceAll('`', '') : end ? `Ended: ${end.replaceAll('_', ' ')}` : '')
  status.dataset.state = isStalled ? 'waiting' : 'done'
}

/** Whether a request or an event may have changed the timeline. */
function isAbout(entry: WireEntry, callId: string): boolean {
  if (entry.kind === 'event') return (entry.data as { callId?: string }).callId === callId
  if (entry.method === 'GET' || entry.status === null) return false
  return entry.url.includes(callId) || (entry.url.endsWith('/calls') && (entry.body?.includes(callId) ?? false))
}

/** Runs it at once, and at most this often; a call meanwhile runs it again afterwards. */
function throttle(run: () => Promise<void>, everyMs: number): () => void {
  let isRunning = false
  let isWanted = false
  const begin = async () => {
    isWanted = true
    if (isRunning) return
    isRunning = true
    while (isWanted) {
      isWanted = false
      await run()
      await new Promise(resolve => setTimeout(resolve, everyMs))
    }
    isRunning = false
  }
  return () => void begin()
}
