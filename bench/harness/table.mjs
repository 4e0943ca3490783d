// The one table at the end.
import { CONTENDERS } from './contenders.mjs'
import { median } from './rounds.mjs'

const ABSENT = '–'

function cell(values, digits) {
  if (!values?.length) return ABSENT
  const middle = median(values).toFixed(digits)
  if (values.length === 1) return middle
  return `${middle} (${Math.min(...values).toFixed(digits)}…${Math.max(...values).toFixed(digits)})`
}

/** The median of the rounds' own ratios: both contenders of a round saw the same weather. */
export function ratio({ socketio, signalpost }) {
  if (!socketio?.length || !signalpost?.length || Math.min(...socketio) <= 0) return null
  const rounds = Math.min(socketio.length, signalpost.length)
  return median(Array.from({ length: rounds }, (_, round) => signalpost[round] / socketio[round]))
}

function verdict({ values, target }) {
  if (!target) return ['', '']
  const reached = target.ratio ? ratio(values) : values.signalpost && median(values.signalpost)
  const goal = target.ratio ? `≤ ${target.ratio.toFixed(2)} of peer` : `≤ ${target.value}`
  if (reached === null || reached === undefined) return [goal, '']
  return [goal, reached <= (target.ratio ?? target.value) ? 'met' : 'MISSED']
}

function line(row) {
  const { figure, values, digits = 1 } = row
  const times = ratio(values)
  return [
    figure,
    cell(values.socketio, digits),
    cell(values.signalpost, digits),
    times === null ? ABSENT : times.toFixed(2),
    ...verdict(row),
    cell(values.bare, digits)
  ]
}

export function printTable(rows) {
  const { socketio, signalpost, bare } = CONTENDERS
  const lines = [
    ['median (least … most)', socketio.title, signalpost.title, 'ratio', 'target', '', bare.title],
    ...rows.map(line)
  ]
  const widths = lines[0].map((_, column) => Math.max(...lines.map(cells => cells[column].length)))
  const show = cells =>
    `| ${cells.map((text, i) => (i ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  console.log([show(lines[0]), rule, ...lines.slice(1).map(show)].join('\n'))
}
