// Asks for the token of a person, where the server makes none.
import { el } from '../../page-parts/src/dom.js'

/** Resolves to the token that the user of the page pastes. */
export function askForToken(name: string): Promise<string> {
  const input = el('textarea', { id: 'token', rows: '5', required: true, spellcheck: 'false', autocomplete: 'off' })
  const form = el(
    'form',
    { method: 'dialog' },
    el('h2', { id: 'token-title' }, `Token of ${name}`),
    el(
      'p',
      {},
      'This page makes no tokens on this server. Paste one that your application issues, or what ',
      el('code', {}, `npm run --silent token -- ${name}`),
      ' prints with the JWT_SECRET of the server. It stays in this page.'
    ),
    el('label', { for: 'token' }, 'Token (JWT)'),
    input,
    el('button', { class: 'primary' }, 'Connect')
  )
  const dialog = el('dialog', { 'aria-labelledby': 'token-title' }, form)
  document.body.append(dialog)
  return new Promise(resolve => {
    // Without a token the person cannot connect.
    dialog.addEventListener('cancel', event => event.preventDefault())
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(input.value.trim())
    })
    dialog.showModal()
  })
}
