// When a node dies, thousands of connections are opened to another one at once. Node would accept all that are there, and parse their
// requests, before it serves anybody. So a connection that was accepted waits: only a few are begun in one turn of the event loop, in
// the order they came, and requests on open connections are served in between.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const BEGUN_PER_TURN = 16

/** Stands in front of all that listens for connections when the server begins to listen, Node's own listener included. */
export function admitInTurn(server: Server): void {
  const waiting: Socket[] = []

  server.once('listening', () => {
    const listeners = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', socket => {
      if (waiting.length === 0) setImmediate(begin)
      waiting.push(socket.on('error', ignore))
    })

    function begin(): void {
      for (const socket of waiting.splice(0, BEGUN_PER_TURN)) {
        socket.off('error', ignore)
        if (!socket.destroyed) for (const listen of listeners) listen.call(server, socket)
      }
      if (waiting.length > 0) setImmediate(begin)
    }
  })
  server.once('close', () => {
    for (const socket of waiting) socket.destroy()
  })
}

/** It is followed by 'close'. */
function ignore(): void {}
