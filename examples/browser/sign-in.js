// Who sits here: a form asks for the server and a token, or the link has them. What the server then says comes one at a time.
import { Signalpost } from './signalpost.js'
import { find, note, showConnection, tell } from './view.js'

/** What stands behind the # is not sent to anybody: #server=…&token=… signs in at once. */
export const link = new URLSearchParams(location.hash.slice(1))

/** So that a page that is loaded again knows it; null: it need not any more. */
export function keepInLink(name, value) {
  if (value === null) link.delete(name)
  else link.set(name, value)
  history.replaceState(null, '', `#${link}`)
}

/** A tab is a device. It keeps its name, and so its mailbox, when it is loaded again. */
export const device = sessionStorage.getItem('device') ?? `tab-${crypto.randomUUID().slice(0, 8)}`
sessionStorage.setItem('device', device)

/** Steps in single file: each begins when the one before is complete, however that went. */
export function takeTurns() {
  let last = Promise.resolve()
  return step => {
    const turn = last.then(step)
    last = turn.catch(() => {})
    return turn
  }
}

/** Actions and events take turns: when an event is looked at, the action it answers is complete. */
export const inTurn = takeTurns()

/** `begin(signalpost, snapshot)` is told how things stand; all that happens from there on goes to `take({ type, data })`. */
export function askToSignIn({ begin, take }) {
  const form = find('sign-in')
  form.server.value = link.get('server') ?? 'http://127.0.0.1:8080'
  form.token.value = link.get('token') ?? ''
  form.addEventListener('submit', event => {
    event.preventDefault()
    const server = form.server.value.replace(/\/+$/, '')
    const signalpost = connect({ server, token: form.token.value.trim() }, take)
    inTurn(async () => begin(signalpost, await signalpost.open())).catch(error =>
      showConnection('closed', error.message)
    )
  })
  if (link.has('token')) form.requestSubmit()
}

function connect(where, take) {
  function onEvent(event) {
    if (event.type === 'heartbeat') return
    note('in', event.type, event)
    inTurn(() => take(event)).catch(tell)
  }
  showConnection('connecting')
  return new Signalpost({ ...where, device, onEvent, onConnection: showConnection })
}

// On the other page one is the same person.
for (const other of document.querySelectorAll('nav a')) {
  other.addEventListener('click', () => {
    other.hash = location.hash
  })
}
