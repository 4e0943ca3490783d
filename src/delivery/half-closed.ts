// A client that half-closes its connection sends nothing more and waits for the reply. One that has gone looks the same to the server until
// something is written to it.
import type { ServerResponse } from 'node:http'
import type { Clock } from '../clock.js'
import type { Poll } from './poll.js'

/** Pauses between probes: one for a proxy nearby, and one that is longer than most round trips. */
const PROBE_AFTER_MS = [50, 1000]

/** Calls `listener` when the client has ended its side of the connection before the reply was closed. */
export function whenHalfClosed(res: ServerResponse, listener: () => void): void {
  const { socket } = res
  // Null for a pipelined request: the replies ahead of it come first.
  if (socket === null) return
  if (socket.readableEnded) return void listener()
  socket.once('end', listener)
  res.once('close', () => socket.off('end', listener))
}

/**
 * Closes the poll of a client that has gone. A probe is an interim reply, which clients skip (RFC 9110, section 15.2). The kernel of a client
 * that has gone resets the connection at the first one. A later one fails, and only that shows in Node, which no longer reads from the
 * connection. HTTP/1.0 has no interim replies, so a poll over it is answered at once.
 */
export function probeClient(res: ServerResponse, poll: Poll, clock: Clock): void {
  if (res.req.httpVersion !== '1.1') return void poll.hurry()
  let stop = () => {}
  function probe([afterMs, ...later]: readonly number[]): void {
    if (!res.headersSent) res.writeContinue()
    if (afterMs !== undefined) stop = clock.after(afterMs, () => probe(later))
  }
  probe(PROBE_AFTER_MS)
  res.once('close', () => stop())
}
