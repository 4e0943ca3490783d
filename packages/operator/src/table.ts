// A table that is shown again and again: only what changes is written, so that nothing flickers and the focus stays.
import { button, el, setAttribute, setText } from '../../page-parts/src/dom.js'

export interface Column<Row> {
  readonly head: string
  text(row: Row): string
  /** Where the text leads to; null: nowhere. */
  href?(row: Row): string | null
  /** Shown as a badge in the colour of this state. */
  state?(row: Row): string
}

export interface RowAction {
  readonly label: string
  /** What the label means in this row, for screen readers. */
  readonly name: string
  readonly isDangerous?: boolean
  run(): void
}

export interface TableOptions<Row> {
  /** The name of the table, for screen readers. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  /** Shown in place of a table without rows. */
  readonly empty: string
  keyOf(row: Row): string
  actions?(row: Row): readonly RowAction[]
}

export interface Table<Row> {
  readonly element: HTMLElement
  /** `isPart`: there are more rows elsewhere. */
  show(rows: readonly Row[], isPart?: boolean): void
}

interface ShownRow<Row> {
  readonly element: HTMLElement
  render(row: Row): void
}

// On narrow screens CSS shows rows as blocks, which would take their roles away: they are set.
export function createTable<Row>(options: TableOptions<Row>): Table<Row> {
  const { caption, columns, empty, keyOf, actions } = options
  const heads = columns.map(({ head }) => el('th', { scope: 'col', role: 'columnheader' }, head))
  if (actions)
    heads.push(el('th', { scope: 'col', role: 'columnheader' }, el('span', { class: 'hidden-text' }, 'Actions')))
  const body = el('tbody', { role: 'rowgroup' })
  const table = el('table', { role: 'table', 'aria-label': caption })
  table.append(el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...heads)), body)
  const note = el('p', { class: 'empty' }, empty)
  // Takes the focus when the row that had it is gone.
  const element = el('div', { class: 'table', tabindex: '-1', role: 'group', 'aria-label': caption }, table, note)
  const shown = new Map<string, ShownRow<Row>>()
  table.hidden = true
  note.hidden = true

  const show = (rows: readonly Row[], isPart = false) => {
    const byKey = new Map(rows.map(row => [keyOf(row), row]))
    for (const [key, { element: gone }] of shown) {
      if (byKey.has(key)) continue
      if (gone.contains(document.activeElement)) element.focus()
      gone.remove()
      shown.delete(key)
    }
    let next = body.firstElementChild
    for (const [key, row] of byKey) {
      const entry = shown.get(key) ?? createRow(options)
      shown.set(key, entry)
      entry.render(row)
      if (entry.element === next) next = next.nextElementSibling
      else body.insertBefore(entry.element, next)
    }
    table.toggleAttribute('hidden', byKey.size === 0)
    note.toggleAttribute('hidden', byKey.size > 0)
    setText(note, isPart ? 'Nothing on this page.' : empty)
  }
  return { element, show }
}

function createRow<Row>({ columns, actions }: TableOptions<Row>): ShownRow<Row> {
  const cells = columns.map(column => createCell(column))
  const buttons = actions ? [actionCell(actions)] : []
  const parts = [...cells, ...buttons]
  const element = el('tr', { role: 'row' }, ...parts.map(part => part.element))
  const render = (row: Row) => {
    for (const part of parts) part.render(row)
  }
  return { element, render }
}

function createCell<Row>({ head, text, href, state }: Column<Row>): ShownRow<Row> {
  const content = href ? el('a') : el('span', state ? { class: 'badge' } : {})
  const element = el('td', { role: 'cell', 'data-label': head }, content)
  const render = (row: Row) => {
    setText(content, text(row))
    setAttribute(content, 'data-state', state?.(row) ?? null)
    setAttribute(content, 'href', href?.(row) ?? null)
  }
  return { element, render }
}

function actionCell<Row>(actions: (row: Row) => readonly RowAction[]): ShownRow<Row> {
  const list = el('div', { class: 'actions' })
  const element = el('td', { role: 'cell' }, list)
  const current = new Map<string, RowAction>()
  const buttons = new Map<string, HTMLButtonElement>()
  const render = (row: Row) => {
    current.clear()
    for (const action of actions(row)) current.set(action.label, action)
    for (const [label, each] of buttons) if (!current.has(label)) each.remove()
    for (const { label, name, isDangerous = false } of current.values()) {
      const each = buttons.get(label) ?? button(label, () => current.get(label)?.run())
      buttons.set(label, each)
      setAttribute(each, 'class', isDangerous ? 'danger' : null)
      setAttribute(each, 'aria-label', name)
      if (each.parentElement !== list) list.append(each)
    }
  }
  return { element, render }
}
