// A list of the server, a page at a time: a heading, a table, and buttons that turn pages.
import { button, el, setText } from '../../page-parts/src/dom.js'
import { createTable, type TableOptions } from './table.js'
import type { Part } from './view.js'

const LIMIT = 50

/** Of one request: `after` or `before` is what the reply to the page before had as `next`. */
export type PageQuery = Readonly<Record<string, string | number>>

export interface PageOfRows<Row> {
  readonly rows: readonly Row[]
  readonly next: string | null
}

interface ListingOptions<Row> extends TableOptions<Row> {
  /** The parameter that takes `next`. */
  readonly cursor: 'after' | 'before'
  read(query: PageQuery, signal: AbortSignal): Promise<PageOfRows<Row>>
  /** Reads again: another page was chosen. */
  reread(): void
}

/** The rows of the page that is chosen are read again; other pages are not. */
export function createListing<Row>({ cursor, read, reread, ...options }: ListingOptions<Row>): Part {
  const table = createTable(options)
  /** What leads to the page that is shown and to those before it. The first page needs nothing. */
  const path: string[] = []
  let next: string | null = null
  const previous = button('Previous page', () => {
    path.pop()
    reread()
  })
  const following = button('Next page', () => {
    if (next !== null) path.push(next)
    next = null
    reread()
  })
  const number = el('span', { class: 'quiet', role: 'status' })
  const pages = el('nav', { class: 'row', 'aria-label': `Pages of ${options.caption}` }, previous, number, following)
  pages.hidden = true
  const element = el('div', { class: 'stack' }, table.element, pages)
  const refresh = async (signal: AbortSignal) => {
    const from = path.at(-1)
    const page = await read({ limit: LIMIT, ...(from !== undefined && { [cursor]: from }) }, signal)
    next = page.next
    const isPart = path.length > 0 || next !== null
    table.show(page.rows, isPart)
    pages.toggleAttribute('hidden', !isPart)
    previous.toggleAttribute('disabled', path.length === 0)
    following.toggleAttribute('disabled', next === null)
    setText(number, `Page ${path.length + 1}`)
  }
  return { element, refresh }
}
