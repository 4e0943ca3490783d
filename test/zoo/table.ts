// The figures of the clients as a Markdown table.

/** Times in milliseconds. */
export interface Figures {
  readonly client: string
  readonly version: string
  /** Until an event arrived: the first one, and the median. */
  readonly first: number
  readonly median: number
  /** Until the stream had resumed, after a node was killed, after its connection was reset in the middle of an event, and after a node was drained. */
  readonly killed: number
  readonly cut: number
  readonly drained: number
}

const HEADS: Readonly<Record<keyof Figures, string>> = {
  client: 'Client',
  version: 'Version',
  first: 'First event, ms',
  median: 'Median, ms',
  killed: 'Resumed after a kill, ms',
  cut: 'After a cut event, ms',
  drained: 'After a drain, ms'
}

const KEYS = Object.keys(HEADS) as (keyof Figures)[]

export function tableOf(figures: readonly Figures[]): string[] {
  const texts = figures.map(row => KEYS.map(key => textOf(row[key])))
  const rows = [KEYS.map(key => HEADS[key]), ...texts]
  const widths = KEYS.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const line = (cells: readonly string[], fill = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
  const [heads = [], ...others] = rows
  return [
    line(heads),
    line(
      KEYS.map(() => ''),
      '-'
    ),
    ...others.map(cells => line(cells))
  ]
}

const textOf = (value: string | number): string => (typeof value === 'number' ? value.toFixed(0) : value)
