// A reverse proxy that serves a server below a path.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const PREFIX = '/calls'

/** Removes the path before it passes a request on. `set(false)`: it does not reach the server any more, and answers 502. */
export async function startPrefixProxy(t: Test, url: string) {
  let isServerThere = true
  let target = url
  const proxy = createServer((incoming, reply) => {
    const { method, url: path = '', headers } = incoming
    if (!isServerThere) return reply.writeHead(502).end()
    if (!path.startsWith(`${PREFIX}/`)) return reply.writeHead(404).end()
    const outgoing = request(target + path.slice(PREFIX.length), { method, headers }, response => {
      reply.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(reply)
    })
    outgoing.on('error', () => reply.destroy())
    reply.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const set = (isThere: boolean) => {
    isServerThere = isThere
    proxy.closeAllConnections()
  }
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const passTo = (other: string) => {
    target = other
    proxy.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PREFIX}/`, set, passTo }
}
