// A form that leads to the view of one thing, by its id.
import { button, el } from '../../page-parts/src/dom.js'
import { part } from './requests.js'

/** `path`: the first part of the address behind `#`. */
export function findForm(label: string, path: string): HTMLElement {
  const input = el('input', { id: `find-${path}`, required: true, autocomplete: 'off', spellcheck: 'false' })
  const form = el('form', { class: 'row find' }, el('label', { for: input.id }, label), input)
  form.append(button('Show', () => undefined, { type: 'submit' }))
  form.addEventListener('submit', event => {
    event.preventDefault()
    location.hash = `${path}/${part(input.value)}`
  })
  return form
}
