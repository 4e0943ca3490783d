// The SDK, with what these pages add: a log of all that goes over the wire, and a list of the peer connections for statistics.
import { Signalpost } from '@signalpost/client'
import { addLogLine, showConnection, showError } from './view.js'

/** All peer connections of this page that are open. Set here, so that mediasoup-client uses it too. */
export const connections = new Set()

globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options)
    connections.add(this)
  }

  close() {
    connections.delete(this)
    super.close()
  }
}

/** Resolves to the client and its snapshot when events arrive. `listen(client)` adds listeners before the first event. */
export async function connect({ server, token, device }, listen) {
  const client = new Signalpost({
    ...{ url: server, token: () => token, device, fetch: fetchAndLog },
    // Each tab of these pages is a device, so that you can call yourself in another one.
    tabs: false,
    // Built by `npm run build`; rooms in mode p2p need none.
    mediasoup: () => import('./dist/mediasoup-client.js')
  })
  let wasConnected = false
  client.on('connection', state => {
    showConnection(state === 'connecting' && wasConnected ? 'reconnecting' : state)
    wasConnected ||= state === 'live'
  })
  client.on('closed', ({ reason }) => showConnection('closed', reason))
  client.on('event', event => addLogLine('in', event.type, event))
  client.on('reset', ({ reason }) => addLogLine('in', 'reset', { data: { reason } }))
  client.on('error', showError)
  listen(client)
  const snapshot = await client.connect()
  return { client, snapshot }
}

async function fetchAndLog(url, init) {
  const response = await fetch(url, init)
  const [, aggregate, , ...rest] = new URL(url).pathname.split('/').slice(1)
  // `calls`, `hold` of a call, `participants` or `sfu/producers` of a room.
  const [what, kind] = rest.length > 0 ? rest : [aggregate]
  if (response.ok && /^(calls|rooms)$/.test(aggregate) && what !== 'timeline') {
    const data = /^\{/.test(init.body) ? JSON.parse(init.body) : {}
    addLogLine('out', `${init.method} ${what === 'sfu' ? `sfu/${kind}` : what}`, { data })
  }
  return response
}
