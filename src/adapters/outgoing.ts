// Every request to an outside service: bounded in time and in bytes, and without redirects. It uses node:http, because fetch() takes three to
// four times the processor time (bench/figures/2026-11-29-sfu.md).
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isPrivateHost, lookUpPublic, PrivateAddress } from './public-addresses.js'

export interface OutgoingRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Until the whole body has arrived: a service may send the head of a reply and then stall. */
  readonly timeoutMs: number
  /** Of the reply's body. 0: the body is not read. */
  readonly maxBytes: number
  /** The bodies of all replies are read, not only that of a 200. */
  readonly readsAllBodies?: boolean
  /** A body that is larger than `maxBytes` is cut off instead of refused. */
  readonly cutsBody?: boolean
  /** The request is refused if the host has no public address. */
  readonly publicOnly?: boolean
  readonly signal?: AbortSignal
}

export interface OutgoingReply {
  readonly status: number
  /** The body of a 200, or with `readsAllBodies` of any reply. Empty if the body is not read. */
  readonly text: string
  /** The header Retry-After, if there is one. */
  readonly retryAfter?: string
}

/** Less than the 5 s after which a server in Node closes an idle connection. */
const IDLE_MS = 4000
const KEEP = { keepAlive: true, timeout: IDLE_MS }
const AGENTS = { http: new HttpAgent(KEEP), https: new HttpsAgent(KEEP) }
/** Of their own, because an agent reuses a connection whatever `lookup` it was made with. */
const PUBLIC_AGENTS = {
  http: new HttpAgent({ ...KEEP, lookup: lookUpPublic }),
  https: new HttpsAgent({ ...KEEP, lookup: lookUpPublic })
}
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** The service closed a connection that was idle before, and did not reply. */
class IdleConnectionClosed extends Error {
  readonly code: string | undefined

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause })
    this.code = cause.code
  }
}

/**
 * Sends the request once more if the idle connection that it used was closed. The service may have executed the first one, so each request must
 * have the same effect if it arrives twice.
 * @throws Error if no reply arrives in time, or if it is a redirect or larger than allowed
 */
export async function sendRequest(url: string, request: OutgoingRequest): Promise<OutgoingReply> {
  try {
    return await sendOnce(url, request)
  } catch (error) {
    if (!(error instanceof IdleConnectionClosed)) throw error
    return sendOnce(url, request)
  }
}

function sendOnce(url: string, request: OutgoingRequest): Promise<OutgoingReply> {
  const { timeoutMs, body, signal } = request
  if (request.publicOnly && isPrivateHost(url)) return Promise.reject(new PrivateAddress())
  return new Promise((resolve, reject) => {
    const outgoing = open(url, request)
    const fail = (error: Error) => {
      reject(error)
      outgoing.destroy()
    }
    const timer = setTimeout(() => fail(new DOMException(`no reply within ${timeoutMs} ms`, 'TimeoutError')), timeoutMs)
    const abort = () => fail(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    let isAnswered = false
    outgoing.once('close', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      // A 101 ends the request without an error and without a reply.
      if (!isAnswered) reject(new Error('the connection was closed without a reply'))
    })
    outgoing.on('error', error =>
      fail(!isAnswered && outgoing.reusedSocket && isConnectionClosed(error) ? new IdleConnectionClosed(error) : error)
    )
    outgoing.once('response', response => {
      isAnswered = true
      receive(response, request, { resolve, fail })
    })
    outgoing.end(body)
  })
}

function open(url: string, { method = 'GET', headers, publicOnly }: OutgoingRequest): ClientRequest {
  const options = { method, headers: { 'user-agent': 'signalpost', ...headers } }
  const agents = publicOnly ? PUBLIC_AGENTS : AGENTS
  return new URL(url).protocol === 'https:'
    ? requestHttps(url, { ...options, agent: agents.https })
    : requestHttp(url, { ...options, agent: agents.http })
}

/** Whether the service closed the connection before its reply was complete. */
export const isConnectionClosed = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'ECONNRESET' || code === 'EPIPE'

interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly fail: (error: Error) => void
}

function receive(
  response: IncomingMessage,
  { maxBytes, readsAllBodies = false, cutsBody = false }: OutgoingRequest,
  { resolve, fail }: Settle<OutgoingReply>
): void {
  const { statusCode: status = 0 } = response
  const { 'retry-after': retryAfter } = response.headers
  const head = { status, ...(retryAfter === undefined ? {} : { retryAfter }) }
  response.on('error', fail)
  if (REDIRECTS.includes(status)) {
    fail(new Error(`replied with the redirect ${status}`))
  } else if (maxBytes > 0 && (status === 200 || readsAllBodies)) {
    readText(response, { maxBytes, cutsBody }, { resolve: text => resolve({ ...head, text }), fail })
  } else {
    resolve({ ...head, text: '' })
    skipBody(response)
  }
}

/** Keeps the connection if there is no body, and otherwise closes it. */
function skipBody(response: IncomingMessage): void {
  if (response.statusCode === 204 || response.headers['content-length'] === '0') response.resume()
  else response.destroy()
}

function readText(
  response: IncomingMessage,
  { maxBytes, cutsBody }: { readonly maxBytes: number; readonly cutsBody: boolean },
  { resolve, fail }: Settle<string>
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const end = () => resolve(Buffer.concat(chunks).toString('utf8'))
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes <= maxBytes) chunks.push(chunk)
    else if (cutsBody) {
      end()
      response.destroy()
    } else fail(new Error(`replied with more than ${maxBytes} bytes`))
  })
  response.once('end', end)
}
