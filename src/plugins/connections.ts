// Connections that nobody uses do not hold up the end. Node closes those that are idle at that moment, but waits for one that never
// carried a request (browsers, and Node's fetch, open them ahead of need) and for one whose last answer is just under way.
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Call it last: what is opened while earlier preClose hooks run counts too. Requests under way are answered. */
export function dropUnusedConnections(app: FastifyInstance): void {
  const unused = new Set<Socket>()
  function forget(this: Socket): void {
    unused.delete(this)
  }
  app.server.on('connection', socket => {
    unused.add(socket)
    socket.once('close', forget)
  })
  app.server.on('request', ({ socket }) => {
    if (unused.delete(socket)) socket.off('close', forget)
  })
  app.addHook('preClose', async () => {
    app.server.keepAliveTimeout = 1
    for (const socket of unused) socket.destroy()
  })
}
