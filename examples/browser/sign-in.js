// Signing in, with a form or with the server and token of the link.
import { connect } from './connect.js'
import { find, showConnection } from './view.js'

/** The part of the URL after # is never sent to a server: #server=…&token=… signs in at once. */
export const link = new URLSearchParams(location.hash.slice(1))

/** Keeps a value for a reload of the page; null removes it. */
export function keepInLink(name, value) {
  if (value === null) link.delete(name)
  else link.set(name, value)
  history.replaceState(null, '', `#${link}`)
}

/** A tab is a device. It keeps its id, and so its mailbox, when the page is reloaded. */
const device = sessionStorage.getItem('device') ?? `tab-${crypto.randomUUID().slice(0, 8)}`
sessionStorage.setItem('device', device)

/** Calls `listen(client)` before the first event, and `onSignedIn(client)` when events arrive. */
export function askToSignIn({ listen, onSignedIn }) {
  const form = find('sign-in')
  form.server.value = link.get('server') ?? 'http://127.0.0.1:8080'
  form.token.value = link.get('token') ?? ''
  form.addEventListener('submit', async event => {
    event.preventDefault()
    const options = { server: form.server.value, token: form.token.value.trim(), device }
    try {
      const { client } = await connect(options, listen)
      onSignedIn(client)
    } catch (error) {
      showConnection('closed', error.message)
    }
  })
  if (link.has('token')) form.requestSubmit()
}

// Stays signed in when the user changes to the other page.
for (const other of document.querySelectorAll('nav a')) {
  other.addEventListener('click', () => {
    other.hash = location.hash
  })
}
