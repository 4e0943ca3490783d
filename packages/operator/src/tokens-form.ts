// Refuses the tokens of a user that were issued until a time.
import { button, el } from '../../page-parts/src/dom.js'
import { quoted } from './confirm.js'
import { part } from './requests.js'
import { timeText } from './texts.js'
import type { Shell } from './view.js'

export function refuseTokensForm({ api, act }: Shell, user: string): HTMLElement {
  const time = el('input', { id: 'refuse-until', type: 'datetime-local', step: 1, required: true })
  const device = el('input', { id: 'refuse-device', autocomplete: 'off', spellcheck: 'false', placeholder: 'all' })
  const form = el('form', { class: 'row find', 'aria-label': 'Refuse tokens' })
  form.append(el('label', { for: time.id }, 'Refuse tokens issued until'), time)
  form.append(el('label', { for: device.id }, 'for device'), device)
  form.append(button('Refuse', () => undefined, { type: 'submit', class: 'danger' }))
  form.addEventListener('submit', event => {
    event.preventDefault()
    const issuedAfter = new Date(time.value).toISOString()
    const named = device.value
    const whose = named === '' ? [' for all devices'] : [' for device ', quoted(named)]
    const until = ` that were issued until ${timeText(issuedAfter)}, or do not say when, are refused. Clients come back with newer ones.`
    act({
      question: {
        title: 'Refuse these tokens?',
        text: ['Tokens of ', quoted(user), ...whose, until],
        label: 'Refuse tokens'
      },
      run: async () => {
        const body = { issuedAfter }
        if (named === '') await api.send('PUT', `/admin/users/${part(user)}/all-devices/tokens`, { body })
        else await api.send('PUT', `/admin/users/${part(user)}/devices/${part(named)}/tokens`, { body })
        form.reset()
        return 'The tokens are refused.'
      }
    })
  })
  return form
}
