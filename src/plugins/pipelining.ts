// A client may send requests without waiting for the replies (RFC 9112, section 9.3.2), but only a few. Node parses all that one read
// brought, up to 64 KiB, before it does anything else: without a limit 250 connections with 1,900 requests each stopped a node for 12 s.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection in one turn of the event loop. Browsers and common proxies send one at a time. */
const REQUESTS_PER_TURN = 16

/** A connection that brings more is closed. */
export function limitPipelining(server: Server): void {
  const taken = new Map<Socket, number>()
  const beginTurn = () => taken.clear()

  server.on('request', ({ socket }) => {
    if (taken.size === 0) setImmediate(beginTurn)
    const count = (taken.get(socket) ?? 0) + 1
    taken.set(socket, count)
    if (count <= REQUESTS_PER_TURN) return
    stopParsing(socket)
    socket.destroy()
  })
}

/**
 * The rest of what was read is not parsed. Destroying the socket alone would not stop the parser, but it stops behind a request that is
 * an upgrade, which its handler states by returning 2. Undocumented; a Node without this handler parses on.
 */
function stopParsing(socket: ParsedSocket): void {
  if (socket.parser?.onIncoming) socket.parser.onIncoming = () => 2
}

type ParsedSocket = Socket & { readonly parser?: { onIncoming?: (() => number) | null } | null }
