// One HTTP/2 connection to a push service, used for all requests and replaced when it ends.
import { type ClientHttp2Session, connect, constants } from 'node:http2'

export interface Http2Request {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Http2Reply {
  readonly status: number
  readonly retryAfter: unknown
  readonly text: string
}

export interface Http2ClientOptions {
  readonly timeoutMs: number
  readonly ca?: string | undefined
}

const REPLY_MAX_BYTES = 16_384
/** An idle connection is closed before a NAT or proxy forgets it without a word. */
const IDLE_MS = 300_000

export class Http2Client {
  readonly #origin: string
  readonly #options: Http2ClientOptions
  #session: ClientHttp2Session | null = null

  constructor(origin: string, options: Http2ClientOptions) {
    this.#origin = origin
    this.#options = options
  }

  /** @throws Error if no reply arrives in time, or the connection fails */
  post({ path, headers, body }: Http2Request): Promise<Http2Reply> {
    const session = this.#connect()
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': path, ...headers })
      const timer = setTimeout(() => {
        // The connection may be dead, so the next request makes another one.
        this.#drop(session)
        stream.close(constants.NGHTTP2_CANCEL)
        reject(new Error('no reply in time'))
      }, this.#options.timeoutMs)
      const reply = { status: 0, retryAfter: undefined as unknown, text: '' }
      stream.setEncoding('utf8')
      stream.on('response', received => {
        reply.status = received[':status'] ?? 0
        reply.retryAfter = received['retry-after']
      })
      stream.on('data', (chunk: string) => {
        reply.text += chunk
        if (reply.text.length > REPLY_MAX_BYTES) stream.close(constants.NGHTTP2_CANCEL)
      })
      stream.on('error', reject)
      stream.on('close', () => {
        clearTimeout(timer)
        if (reply.status === 0) reject(new Error('the connection was closed'))
        else resolve(reply)
      })
      stream.end(body)
    })
  }

  close(): void {
    this.#session?.close()
    this.#session = null
  }

  #connect(): ClientHttp2Session {
    const known = this.#session
    if (known && !known.closed && !known.destroyed) return known
    const { ca } = this.#options
    const session = connect(this.#origin, ca === undefined ? {} : { ca })
    this.#session = session
    session.setTimeout(IDLE_MS, () => session.close())
    // Each request fails by itself.
    session.on('error', () => undefined)
    for (const event of ['close', 'goaway']) session.on(event, () => this.#drop(session))
    return session
  }

  /** Requests under way still end. */
  #drop(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = null
    session.close()
  }
}
