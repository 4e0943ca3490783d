// The lines of a chat, and the field for the next one: of a call, or of a room.
import { el } from '../../page-parts/src/dom.js'
import { followEnd } from './follow-end.js'

export interface ChatLine {
  readonly from: string
  readonly text: string
}

interface ChatOptions {
  /** For screen readers: of the lines, and of the field. */
  readonly labels: { readonly lines: string; readonly field: string }
  /** Resolves to whether the text was sent. */
  send(text: string): Promise<boolean>
}

export interface Chat {
  readonly list: HTMLElement
  readonly form: HTMLFormElement
  add(from: string, text: string): void
  clear(): void
}

export function createChat({ labels, send }: ChatOptions): Chat {
  const list = el('ol', { class: 'lines', role: 'log', tabindex: '0', 'aria-label': labels.lines })
  const { follow, toEnd } = followEnd(list)
  const input = el('input', { placeholder: 'Message', 'aria-label': labels.field, autocomplete: 'off' })
  const form = el('form', { class: 'row' }, input, el('button', {}, 'Send'))
  form.addEventListener('submit', async event => {
    event.preventDefault()
    const text = input.value
    if (text.trim() === '') return
    input.value = ''
    toEnd()
    // What was refused can be changed and sent again, unless its user writes something else already.
    if (!(await send(text)) && input.value === '') input.value = text
  })
  const add = (from: string, text: string) => {
    // Names and texts may be written from right to left, each for itself.
    list.append(el('li', {}, el('b', { dir: 'auto' }, from), ' ', el('bdi', {}, text)))
    follow()
  }
  return { list, form, add, clear: () => list.replaceChildren() }
}
