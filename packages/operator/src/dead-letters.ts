// Dead letters, of a webhook or of the chat service: a list, and what can be done about them.
import { button, el } from '../../page-parts/src/dom.js'
import { quoted, showText } from './confirm.js'
import { createListing, type PageOfRows, type PageQuery } from './listing.js'
import { part } from './requests.js'
import type { Column, RowAction } from './table.js'
import { jsonText } from './texts.js'
import type { Part, Shell } from './view.js'

interface Letter {
  readonly deadLetterId: string
}

interface DeadLettersOptions<Row extends Letter> {
  /** Of the list. Each letter is below it. */
  readonly path: string
  readonly empty: string
  readonly columns: readonly Column<Row>[]
  /** What the letter is, within a sentence: its kind, and the id of what it belongs to. */
  whatOf(letter: Row): { readonly kind: string; readonly id: string }
  read(query: PageQuery, signal: AbortSignal): Promise<PageOfRows<Row>>
  /** Replays all. Resolves to what to say. */
  replayAll(): Promise<string>
  /** What replaying all does. */
  readonly replayAllText: string
}

export function createDeadLetters<Row extends Letter>(shell: Shell, options: DeadLettersOptions<Row>): Part {
  const { empty, columns, read, replayAll, replayAllText } = options
  const listing = createListing<Row>({
    ...{ caption: 'Dead letters', empty, columns, cursor: 'before', read, reread: shell.reread },
    keyOf: ({ deadLetterId }) => deadLetterId,
    actions: letter => actionsOf(shell, letter, options)
  })
  const question = { title: 'Replay all dead letters?', text: [replayAllText], label: 'Replay all' }
  const all = button('Replay all', () => shell.act({ question, run: replayAll }))
  const head = el('div', { class: 'row head' }, el('h3', {}, 'Dead letters'), el('div', { class: 'end' }, all))
  return { element: el('section', { class: 'card stack' }, head, listing.element), refresh: listing.refresh }
}

function actionsOf<Row extends Letter>(
  { api, act }: Shell,
  letter: Row,
  { path, whatOf }: DeadLettersOptions<Row>
): RowAction[] {
  const { kind, id } = whatOf(letter)
  const own = `${path}/${part(letter.deadLetterId)}`
  const look = async () => {
    showText('Dead letter', jsonText(await api.send('GET', own)))
    return ''
  }
  const replay = async () => {
    await api.send('POST', `${own}/replay`)
    return 'The dead letter is sent again.'
  }
  const remove = async () => {
    await api.send('DELETE', own)
    return 'The dead letter is deleted.'
  }
  const question = {
    title: 'Delete this dead letter?',
    text: [`The ${kind} `, quoted(id), ' is never sent, and this letter cannot be read again.'],
    label: 'Delete'
  }
  return [
    { label: 'Look', name: `Look at ${kind} ${id}`, run: () => act({ run: look }) },
    { label: 'Replay', name: `Replay ${kind} ${id}`, run: () => act({ run: replay }) },
    { label: 'Delete', name: `Delete ${kind} ${id}`, isDangerous: true, run: () => act({ question, run: remove }) }
  ]
}
