// Signing in, with a form or with the server and token of the link; then events and actions run one after the other.
import { Signalpost } from './signalpost.js'
import { addLogLine, find, showConnection, showError } from './view.js'

/** The part of the URL after # is never sent to a server: #server=…&token=… signs in at once. */
export const link = new URLSearchParams(location.hash.slice(1))

/** Keeps a value for a reload of the page; null removes it. */
export function keepInLink(name, value) {
  if (value === null) link.delete(name)
  else link.set(name, value)
  history.replaceState(null, '', `#${link}`)
}

/** A tab is a device. It keeps its id, and so its mailbox, when the page is reloaded. */
export const device = sessionStorage.getItem('device') ?? `tab-${crypto.randomUUID().slice(0, 8)}`
sessionStorage.setItem('device', device)

/** Returns a function that runs steps one after the other: each begins when the one before has ended or failed. */
export function createQueue() {
  let last = Promise.resolve()
  return step => {
    const done = last.then(step)
    last = done.catch(() => {})
    return done
  }
}

/** One queue for actions and events: when an event is handled, the action that caused it is complete. */
export const inOrder = createQueue()

/** Calls `onSignedIn(signalpost, snapshot)`, and then `onEvent({ type, data })` for each event after the snapshot. */
export function askToSignIn({ onSignedIn, onEvent }) {
  const form = find('sign-in')
  form.server.value = link.get('server') ?? 'http://127.0.0.1:8080'
  form.token.value = link.get('token') ?? ''
  form.addEventListener('submit', event => {
    event.preventDefault()
    const server = form.server.value.replace(/\/+$/, '')
    const signalpost = connect({ server, token: form.token.value.trim() }, onEvent)
    inOrder(async () => onSignedIn(signalpost, await signalpost.open())).catch(error =>
      showConnection('closed', error.message)
    )
  })
  if (link.has('token')) form.requestSubmit()
}

function connect(options, onEvent) {
  function enqueue(event) {
    if (event.type === 'heartbeat') return
    addLogLine('in', event.type, event)
    inOrder(() => onEvent(event)).catch(showError)
  }
  showConnection('connecting')
  return new Signalpost({ ...options, device, onEvent: enqueue, onConnection: showConnection })
}

// Stays signed in when the user changes to the other page.
for (const other of document.querySelectorAll('nav a')) {
  other.addEventListener('click', () => {
    other.hash = location.hash
  })
}
