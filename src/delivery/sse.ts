// The transport of an event stream: a socket taken over from Node's HTTP server.
//
// A stream held through ServerResponse keeps the response, the request, its headers, Fastify's objects and the parser alive: 7 KiB
// for doing nothing. So it goes on with the bare socket as after a WebSocket upgrade, for less than 2. The body is delimited
// by the close of the connection (RFC 9112, section 6.3, rule 8), which costs no bytes and suits HTTP/1.0 proxies.
import { type IncomingMessage, type Server, type ServerResponse, validateHeaderValue } from 'node:http'
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

/** Sockets that streams have taken over from the HTTP server. */
const streams = new WeakSet<Socket>()

export const isStream = (socket: Socket): boolean => streams.has(socket)

/** A socket that said goodbye gets so long to take it. */
const LINGER_MS = 2000

/**
 * Answers the request with the head of an event stream. Headers that hooks have set (CORS) go out with it. The socket is corked.
 * Null when the client has gone already.
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
  streams.add(socket)
  // Bytes after the request would be parsed as another one, and its answer written into our stream.
  const parsers = socket.listeners('data') as Parse[]
  socket.on('data', discard)
  for (const parse of parsers) socket.removeListener('data', parse)
  // The head leaves with the first event: one system call less, and a client that has it knows that the stream is live.
  socket.cork()
  socket.write(head + retryFrame(retryMs), 'latin1')
  // Not now: the parser may be in the middle of this very request.
  setImmediate(release, socket, req, parsers)
  return socket
}

type Parse = (bytes: Buffer) => void

/** Between two requests a server ignores it (RFC 9112, section 2.2). */
const EMPTY_LINE = Buffer.from('\r\n')

/**
 * Makes Node's server let go of the connection, by the way it has for this: when it has parsed something, and the request says
 * that it is an upgrade, it gives the parser back to its pool, takes its listeners off the socket and emits 'upgrade'. What is not
 * documented of this is `socket.server`, and that `req.upgrade` decides. A Node where it is otherwise keeps its 5 KiB, no more.
 */
function release(socket: ServedSocket, req: IncomingMessage & { upgrade?: boolean }, parsers: readonly Parse[]): void {
  const { server } = socket
  if (socket.destroyed) return
  // Only while nobody else listens: to them it would be a client that asks for WebSocket.
  if (server?.listenerCount('upgrade') === 0 && req.complete && !socket.isPaused()) {
    req.upgrade = true
    // Newer Nodes destroy what nobody takes. Not for longer: requests that do ask for an upgrade are answered without one.
    server.on('upgrade', discard)
    for (const parse of parsers) parse(EMPTY_LINE)
    server.off('upgrade', discard)
  }
  // What the server's listeners did: an error is followed by 'close', and who says no more is not kept waiting.
  socket.on('error', discard).on('end', hangUp).resume()
}

type ServedSocket = Socket & { readonly server?: Server }

function discard(): void {}

function hangUp(this: Socket): void {
  this.end()
}

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

/**
 * What is written in this turn of the event loop leaves in one piece. When a room tells many commits at once, each client gets a
 * frame for each of them, and a system call costs more than all the rest of a delivery.
 */
export function gatherWrites(socket: Socket): void {
  if (socket.writableCorked > 0) return
  socket.cork()
  process.nextTick(uncork, socket)
}

const uncork = (socket: Socket) => socket.uncork()

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
