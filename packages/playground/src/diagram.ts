// A timeline as a sequence diagram.
import { el, svg } from '../../page-parts/src/dom.js'
import type { CallSides, Lane, Step } from './timeline.js'

const HEAD = 34
const ROW = 36
/** For the times at the left. */
const GUTTER = 58
const MARGIN = 44

/** `width`: of the space there is, in px. Texts keep their size. */
export function drawDiagram(steps: readonly Step[], sides: CallSides, width: number): SVGSVGElement {
  const height = HEAD + ROW * steps.length + 14
  const names: Readonly<Record<Lane, string>> = { caller: sides.caller, callee: sides.callee, server: 'server' }
  const left = GUTTER + MARGIN
  const right = width - MARGIN
  const lanes: Readonly<Record<Lane, number>> = { caller: left, server: (left + right) / 2, callee: right }
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    'aria-hidden': 'true',
    focusable: 'false'
  })
  for (const lane of ['caller', 'server', 'callee'] as const) {
    const x = lanes[lane]
    drawing.append(
      svg('line', { class: 'lane', x1: x, x2: x, y1: HEAD - 8, y2: height }),
      svg('text', { class: 'name', x, y: 16 }, names[lane])
    )
  }
  drawing.append(...steps.map((step, i) => drawStep(step, lanes, HEAD + ROW * i + 26)))
  return drawing
}

function drawStep({ ms, from, to, text, type }: Step, lanes: Readonly<Record<Lane, number>>, y: number): SVGGElement {
  const group = svg('g', { class: `step ${type}` }, svg('text', { class: 'time', x: 0, y: y + 4 }, secondsOf(ms)))
  const [begin, end] = [lanes[from], lanes[to]]
  if (from === to) {
    const x = from === 'server' ? begin : begin + (from === 'caller' ? 10 : -10)
    group.append(svg('circle', { cx: begin, cy: y, r: 4 }))
    group.append(svg('text', { class: `label at-${from}`, x, y: from === 'server' ? y - 8 : y + 4 }, text))
    return group
  }
  const direction = Math.sign(end - begin)
  group.append(
    svg('line', { class: 'arrow', x1: begin, x2: end - 7 * direction, y1: y, y2: y }),
    svg('path', { class: 'head', d: `M${end} ${y}l${-9 * direction} -5v10z` }),
    svg('text', { class: 'label', x: (begin + end) / 2, y: y - 8 }, text)
  )
  // Most messages go through the server.
  if (to !== 'server' && from !== 'server') group.append(svg('circle', { cx: lanes.server, cy: y, r: 3 }))
  return group
}

/** The same as a list, for screen readers. */
export function listSteps(steps: readonly Step[], sides: CallSides): HTMLElement {
  const names: Readonly<Record<Lane, string>> = { caller: sides.caller, callee: sides.callee, server: 'the server' }
  const items = steps.map(({ ms, from, text }) => el('li', {}, `${secondsOf(ms)}: ${names[from]}: ${text}`))
  return el('ol', { class: 'hidden-text', 'aria-label': 'Steps of the call' }, ...items)
}

export const secondsOf = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
