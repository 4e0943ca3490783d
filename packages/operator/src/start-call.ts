// Starts a call between two users, and leads to its view, which shows what becomes of it.
import { button, el } from '../../page-parts/src/dom.js'
import { quoted } from './confirm.js'
import { part } from './requests.js'
import type { Shell } from './view.js'

export function startCallForm({ api, act }: Shell): HTMLElement {
  const [from, to] = [field('start-from', 'Call'), field('start-to', 'and connect with')]
  const offline = el('input', { id: 'start-offline', type: 'checkbox' })
  const form = el('form', { class: 'row find', 'aria-label': 'Start a call' }, ...from.elements, ...to.elements)
  form.append(offline, el('label', { for: offline.id }, 'also offline'))
  form.append(button('Start call', () => undefined, { type: 'submit' }))
  form.addEventListener('submit', event => {
    event.preventDefault()
    const [first, second] = [from.input.value, to.input.value]
    const whenOffline = offline.checked ? 'ring' : 'reject'
    // A repeat after a lost reply starts no second call.
    const callId = randomId()
    const text = [
      quoted(first),
      ' is called. Who accepts there is connected with ',
      quoted(second),
      ', who rings then.'
    ]
    act({
      question: { title: 'Start this call?', text, label: 'Start call' },
      run: async () => {
        await api.send('POST', '/admin/calls', { body: { callId, from: first, to: second, whenOffline } })
        form.reset()
        location.hash = `calls/${part(callId)}`
        return 'The call has begun.'
      }
    })
  })
  return form
}

function field(id: string, label: string) {
  const input = el('input', { id, required: true, autocomplete: 'off', spellcheck: 'false' })
  return { input, elements: [el('label', { for: id }, label), input] }
}

/** `crypto.randomUUID` needs HTTPS or loopback. */
const randomId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
