// Passes the events that a media service pushes on to nodes, in turn. Its URL is known before they start.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface MediaRelay {
  readonly url: string
  nodes: readonly string[]
}

export async function startMediaRelay(t: Test): Promise<MediaRelay> {
  const relay = { url: '', nodes: [] as readonly string[] }
  let turn = 0
  const server = createServer(async (request, reply) => {
    const node = relay.nodes[turn++ % relay.nodes.length]
    const { authorization = '', 'content-type': type = '' } = request.headers
    const headers = { authorization, 'content-type': type }
    const passed = await fetch(`${node}${request.url}`, { method: 'POST', headers, body: await text(request) })
    reply.writeHead(passed.status, { 'content-type': 'application/json' }).end(await passed.text())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  relay.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return relay
}
