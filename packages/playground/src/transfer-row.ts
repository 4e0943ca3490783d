// The buttons of a person that transfer a call, and how that goes.
import { button, el, setText } from '../../page-parts/src/dom.js'
import type { Person } from './person.js'

export function transferRow(person: Person): { readonly element: HTMLElement; render(): void } {
  const { name, transfers } = person
  const to = el('input', {
    value: 'carol',
    'aria-label': `To whom ${name} transfers the call`,
    title: 'Who takes the place of this person. The other side stays',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true
  })
  const ask = button('Ask first', () => to.reportValidity() && transfers.consult(to.value.trim()), {
    title: 'Puts the call on hold, and calls the other user'
  })
  const form = el('form', { class: 'row' }, to, el('button', {}, 'Transfer'), ask)
  form.addEventListener('submit', event => {
    event.preventDefault()
    void transfers.begin(to.value.trim())
  })
  const join = button('Join both', () => transfers.join(), {
    title: 'The other sides of both calls talk to each other'
  })
  const cancel = button('Take back', () => transfers.cancel())
  const note = el('p', { class: 'note', role: 'status', 'aria-label': `Transfer of ${name}` })
  const element = el('div', { class: 'row controls' }, form, join, cancel, note)
  const render = () => {
    const { pending, isConsulting } = transfers
    const talks = person.liveCall?.state === 'connected'
    form.hidden = !talks || isConsulting || pending !== null
    join.hidden = !talks || !isConsulting || pending !== null
    cancel.hidden = !pending?.isMine
    setText(note, pending ? pendingText(pending, person) : transfers.note)
    note.hidden = note.textContent === ''
    element.hidden = [form, join, cancel, note].every(each => each.hidden)
  }
  return { element, render }
}

type Pending = NonNullable<Person['transfers']['pending']>

const pendingText = ({ isMine, to, call }: Pending, { name }: Person): string =>
  isMine ? `${name} transfers the call: ${to} rings` : `${call.peer?.user} transfers the call: ${to} rings`
