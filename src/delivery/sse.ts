// The transport of an event stream: a socket taken over from Node's HTTP server.
//
// An idle stream held through ServerResponse costs 5.3 KiB, because it keeps the response, the request, its headers and
// Fastify's objects alive. So the stream does as a WebSocket upgrade does and goes on with the bare socket: 3.2 KiB. The body
// is delimited by the close of the connection (RFC 9112, section 6.3, rule 8), which costs no bytes and suits HTTP/1.0 proxies.
import { type ServerResponse, validateHeaderValue } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import { retryFrame } from './frames.js'

/** As Fastify keeps them. */
export type Headers = Readonly<Record<string, string | number | string[] | undefined>>

const HEADERS: Headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  // no-transform: a proxy that compresses also buffers.
  'cache-control': 'private, no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
  connection: 'close'
}

/** A stream holds no more than this for a client that reads too slowly. */
export const BACKLOG_LIMIT = 256 * 1024

/** A socket that said goodbye gets so long to take it. */
const LINGER_MS = 2000

/**
 * Answers the request with the head of an event stream. Headers that hooks have set (CORS) go out with it. Null when the client
 * has gone already.
 */
export function takeOver(
  res: ServerResponse,
  headers: Headers,
  { retryMs, now }: { retryMs: number; now: number }
): Socket | null {
  const { socket, req } = res
  if (!socket || socket.destroyed) return null
  const head = headText({ ...headers, ...HEADERS, date: new Date(now).toUTCString() })
  res.detachSocket(socket)
  // The connection refers to its last request until it closes: let go of what is big in it, and of the token.
  req.headers = NOTHING
  req.rawHeaders = NO_LINES
  // Bytes after the request would be parsed as another one, and its answer written into our stream. In this order: an emitter
  // left without listeners for an event turns its table of listeners into a hash map, 700 bytes bigger.
  const parsers = socket.listeners('data')
  socket.on('data', discard)
  for (const parse of parsers) socket.removeListener('data', parse as () => void)
  socket.write(head + retryFrame(retryMs), 'latin1')
  return socket
}

const NOTHING = {}
const NO_LINES: string[] = []

function discard(): void {}

function headText(headers: Headers): string {
  let head = 'HTTP/1.1 200 OK\r\n'
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    for (const text of Array.isArray(value) ? value : [String(value)]) {
      validateHeaderValue(name, text)
      head += `${name}: ${text}\r\n`
    }
  }
  return `${head}\r\n`
}

/** Resolves when all that was written has left this process, or the socket has closed. */
export function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    const settle = () => {
      socket.off('drain', settle).off('close', settle)
      resolve()
    }
    socket.on('drain', settle).on('close', settle)
  })
}

/** Writes the last frame and closes. A client that does not even read that loses the connection soon. */
export function finish(socket: Socket, frame: string, clock: Clock): void {
  if (socket.destroyed) return
  socket.write(frame)
  socket.destroySoon()
  socket.once(
    'close',
    clock.after(LINGER_MS, () => socket.destroy())
  )
}
