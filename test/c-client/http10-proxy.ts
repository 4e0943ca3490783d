// A reverse proxy that speaks HTTP/1.0 with its clients: no chunks, no length of what it does not know, one request a connection.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding']

export async function startHttp10Proxy(t: Test, nodeUrl: string): Promise<{ readonly port: number }> {
  const server = createServer((asked, reply) => {
    const { socket } = asked
    const sent = request(`${nodeUrl}${asked.url}`, { method: asked.method, headers: asked.headers, agent: false })
    asked.pipe(sent)
    sent.on('error', () => socket.destroy())
    sent.on('response', answer => {
      const headers = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name))
      const lines = [`HTTP/1.0 ${answer.statusCode} ${answer.statusMessage}`, ...headers.map(each => each.join(': '))]
      reply.detachSocket(socket)
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      answer.on('data', data => socket.write(data))
      answer.on('close', () => socket.end())
    })
    socket.on('close', () => sent.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return { port: (server.address() as AddressInfo).port }
}
