// Limits pipelining: a client may send requests without waiting for the replies (RFC 9112, section 9.3.2), but only a few. Node parses all
// bytes of one read, up to 64 KiB, before anything else: without a limit, 250 connections with 1,900 requests each stopped a node for 12 s.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection in one turn of the event loop. Browsers and common proxies send one at a time. */
const REQUESTS_PER_TURN = 16

/** Closes a connection that sends more. */
export function limitPipelining(server: Server): void {
  const counts = new Map<Socket, number>()
  const beginTurn = () => counts.clear()

  server.on('request', ({ socket }) => {
    if (counts.size === 0) setImmediate(beginTurn)
    const count = (counts.get(socket) ?? 0) + 1
    counts.set(socket, count)
    if (count <= REQUESTS_PER_TURN) return
    stopParsing(socket)
    socket.destroy()
  })
}

/**
 * Skips the rest of the bytes that were read. Destroying the socket does not stop the parser. It stops after an upgrade request, which its
 * handler reports by returning 2. This is undocumented; a Node version without this handler parses the rest.
 */
function stopParsing(socket: ParsedSocket): void {
  if (socket.parser?.onIncoming) socket.parser.onIncoming = () => 2
}

type ParsedSocket = Socket & { readonly parser?: { onIncoming?: (() => number) | null } | null }
