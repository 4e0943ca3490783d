// The transport of an event stream: a socket taken over from Node's HTTP server.
//
// A stream on a ServerResponse keeps the response, the request, its headers, Fastify's objects and the parser in memory: 7 KiB while idle.
// The bare socket, as after a WebSocket upgrade, takes less than 2 KiB. The body is chunked; for a client of HTTP/1.0 the
// close of the connection delimits it (RFC 9112, sections 6.1 and 6.3).
import { type IncomingMessage, type Server, type ServerResponse, validateHeaderValue } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'

/** As Fastify keeps them. */
export type Headers = Readonly<Record<string, string | number | string[] | undefined>>

const HEADERS: Headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  // no-transform: a proxy that compresses also buffers.
  'cache-control': 'private, no-cache, no-store, no-transform',
  'x-accel-buffering': 'no'
}

/** In bytes. A stream with a larger backlog is ended as `slow`. */
export const BACKLOG_LIMIT = 256 * 1024

/** Sockets that streams have taken over from the HTTP server. */
const streams = new WeakSet<Socket>()

export const isStream = (socket: Socket): boolean => streams.has(socket)

/** How long a client may take to read the last frame. */
const LINGER_MS = 2000

interface TakeOverOptions {
  readonly now: number
  /** STREAM_RELEASE_PARSER: return the parser to the server's pool, by behaviour that Node does not document. */
  readonly releasesParser: boolean
}

export interface StreamSocket {
  readonly socket: Socket
  /** False for a client of HTTP/1.0: its frames are written without chunks. */
  readonly isChunked: boolean
}

/**
 * Replies with the head of an event stream, including `headers`, which hooks have set (CORS). Returns the corked socket, or null if the
 * client has disconnected.
 */
export function takeOver(
  res: ServerResponse,
  headers: Headers,
  { now, releasesParser }: TakeOverOptions
): StreamSocket | null {
  const { socket, req } = res
  if (!socket || socket.destroyed) return null
  // It was half-closed while its request waited.
  if (socket.readableEnded) {
    socket.destroy()
    return null
  }
  const isChunked = req.httpVersion === '1.1'
  // No `Connection: close`: after it, fetch in Node takes a body that is cut short for a complete one.
  const framing = isChunked ? { 'transfer-encoding': 'chunked' } : { connection: 'close' }
  const head = headText({ ...headers, ...HEADERS, ...framing, date: new Date(now).toUTCString() })
  res.detachSocket(socket)
  streams.add(socket)
  // Otherwise bytes after the request would be parsed as another request, whose reply would be written into the stream.
  const parsers = socket.listeners('data') as Parse[]
  socket.on('data', discard)
  for (const parse of parsers) socket.removeListener('data', parse)
  // The head is sent with the first event: one system call less, and a client that receives it knows that the stream is live.
  socket.cork()
  socket.write(head, 'latin1')
  // Later: the parser may still be parsing this request.
  setImmediate(() => {
    if (socket.destroyed) return
    if (releasesParser) releaseParser(socket, req, parsers)
    // Replaces the server's listeners: 'close' follows an error, and a client that half-closes the connection is disconnected.
    socket.on('error', discard).on('end', hangUp).resume()
  })
  return { socket, isChunked }
}

type Parse = (bytes: Buffer) => void

/** A server ignores it between two requests (RFC 9112, section 2.2). */
const EMPTY_LINE = Buffer.from('\r\n')

/**
 * Makes Node's server release the connection as it does for an upgrade: after it has parsed something, and if `req.upgrade` is set, it
 * returns the parser to its pool, removes its listeners from the socket and emits 'upgrade'. `socket.server` and the effect of
 * `req.upgrade` are undocumented. A Node version without them keeps 5 KiB more per stream and works otherwise.
 */
function releaseParser(
  socket: ServedSocket,
  req: IncomingMessage & { upgrade?: boolean },
  parsers: readonly Parse[]
): void {
  const { server } = socket
  // Another listener would take this for a WebSocket handshake.
  if (server?.listenerCount('upgrade') !== 0 || !req.complete || socket.isPaused()) return
  req.upgrade = true
  // Newer Node versions destroy the socket if there is no listener. Removed at once, because real upgrade requests are ignored.
  server.on('upgrade', discard)
  for (const parse of parsers) parse(EMPTY_LINE)
  server.off('upgrade', discard)
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
 * Sends everything written in this turn of the event loop with one system call. When a room publishes many commits at once, each client
 * gets a frame for each, and a system call costs more than the rest of a delivery.
 */
export function gatherWrites(socket: Socket): void {
  if (socket.writableCorked > 0) return
  socket.cork()
  process.nextTick(uncork, socket)
}

const uncork = (socket: Socket) => socket.uncork()

/** Resolves when the socket takes more: at once below its high-water mark, else when its buffer is empty or it has closed. */
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

/** Writes the last text and closes. If the client does not read it within LINGER_MS, the connection is destroyed. */
export function finish(socket: Socket, text: string, clock: Clock): void {
  if (socket.destroyed) return
  socket.write(text)
  socket.destroySoon()
  socket.once(
    'close',
    clock.after(LINGER_MS, () => socket.destroy())
  )
}
