// Closes unused connections when the server closes. Node itself closes idle ones, but waits for a connection that never carried a request
// (browsers and Node's fetch open them in advance) and for one whose last reply is being sent.
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Call it last, so that it also closes connections opened while earlier preClose hooks run. Running requests are answered. */
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
    // The time that a connection stays open after its last reply.
    app.server.keepAliveTimeout = 1
    for (const socket of unused) socket.destroy()
  })
}
