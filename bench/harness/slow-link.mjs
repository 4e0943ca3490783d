// A TCP proxy in front of Redis that delays each reply. Sequential round trips add up, and commands that are written together
// are delayed once: so the additional time of a request shows how many round trips it makes in sequence.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export async function startSlowLink(targetPort) {
  let delayMs = 0
  const sockets = new Set()
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', bytes => far.write(bytes))
    // Timers of one length fire in the order they were set.
    far.on('data', bytes => setTimeout(() => near.writable && near.write(bytes), delayMs))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    /** Delays each reply from now on by `ms` milliseconds. */
    delay(ms) {
      delayMs = ms
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}
