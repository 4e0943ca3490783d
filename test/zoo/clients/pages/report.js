// Sends lines to the process that opened the browser, in order.
export const { url, token, types } = await (await fetch('/settings')).json()

let sent = Promise.resolve()

function send(line) {
  const body = `${JSON.stringify(line)}\n`
  sent = sent.then(() => fetch('/', { method: 'POST', body }))
}

export const sendNote = note => send({ note: String(note) })

/** `data` is the text of the event: each client of Signalpost parses it as JSON. */
export const sendEvent = (event, id, data) => send({ event, id, data: JSON.parse(data) })

const BROWSER = /(?:Chrome|Firefox)\/[\d.]+/

/** The browser's, and that of the library if there is one. */
export async function sendVersion(library) {
  const [browser] = BROWSER.exec(navigator.userAgent) ?? ['']
  if (library === undefined) return send({ version: browser })
  const { version } = await (await fetch(`/node_modules/${library}/package.json`)).json()
  send({ version: `${version}, ${browser}` })
}
