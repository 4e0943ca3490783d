// Prints the results as one table.
import { CONTENDERS } from './contenders.mjs'
import { median } from './rounds.mjs'

const ABSENT = '–'

function cell(values, digits) {
  if (!values?.length) return ABSENT
  const middle = median(values).toFixed(digits)
  if (values.length === 1) return middle
  return `${middle} (${Math.min(...values).toFixed(digits)}…${Math.max(...values).toFixed(digits)})`
}

/** Signalpost divided by `of`: the median of the ratios of each round, because both contenders of a round ran on an equally busy machine. */
export function ratio({ values, of }) {
  const { [of]: peer, signalpost } = values
  if (!peer?.length || !signalpost?.length || Math.min(...peer) <= 0) return null
  const rounds = Math.min(peer.length, signalpost.length)
  return median(Array.from({ length: rounds }, (_, round) => signalpost[round] / peer[round]))
}

function verdict({ values, of, target }) {
  if (target === undefined) return ['', '']
  const reached = of ? ratio({ values, of }) : values.signalpost?.length ? median(values.signalpost) : null
  return [`≤ ${target}`, reached === null ? '' : reached <= target ? 'met' : 'MISSED']
}

function line(row, contenders) {
  const { figure, values, of, digits = 1 } = row
  const times = of ? ratio(row) : null
  const divided = times === null ? ABSENT : `${times.toFixed(2)} of ${of}`
  return [figure, ...contenders.map(name => cell(values[name], digits)), divided, ...verdict(row)]
}

/**
 * A row is `{figure, values, digits, of, target}`. `values` maps contenders to one number for each round. With `of`, Signalpost is divided by
 * this contender, and the target is a ratio.
 */
export function printTable(rows, contenders) {
  const titles = contenders.map(name => CONTENDERS[name].title)
  const lines = [['median (least … most)', ...titles, 'ratio', 'target', ''], ...rows.map(row => line(row, contenders))]
  const widths = lines[0].map((_, column) => Math.max(...lines.map(cells => cells[column].length)))
  const show = cells =>
    `| ${cells.map((text, i) => (i ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  console.log([show(lines[0]), rule, ...lines.slice(1).map(show)].join('\n'))
}
