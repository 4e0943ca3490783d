// Requests of one device: the token, a time limit, retries.
import { Deadline } from './deadline.js'
import { onlineOrAfter, randomId } from './platform.js'
import { mayRepeat, Problem, problemOf } from './problem.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface RequestOptions {
  /** Of a POST; random by default. A repeat with the same key, also by another call of `request`, does nothing twice. */
  readonly idempotencyKey?: string
  /** Of one attempt. 10 s by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Sends it although the page is being closed. There is one attempt. */
  readonly keepalive?: boolean
  /** False: one attempt. */
  readonly retry?: boolean
}

export interface ApiRequest extends RequestOptions {
  readonly method: Method
  readonly path: string
  /** A text is sent as it is, as a description (`application/sdp`); everything else as JSON. */
  readonly body?: unknown
}

export interface RequestsOptions {
  readonly url: string
  readonly token: () => string | Promise<string>
  readonly device: string
  /** Default: that of the platform. */
  readonly fetch?: typeof fetch
  /** How long a request is repeated. Default: 30 s. */
  readonly retryForMs?: number
}

/** One attempt. */
export interface Attempt {
  readonly method: Method
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly signal?: AbortSignal
  readonly keepalive?: boolean
  /** Called when it is sent: the token is there. */
  readonly onSend?: () => void
}

const TIMEOUT_MS = 10_000
const RETRY_FOR_MS = 30_000
const BACKOFF_MIN_MS = 250
const BACKOFF_MAX_MS = 8000

/** Doubles with each failure, from the first on. The half of it is random, so that many clients do not come back at the same moment. */
export function backoffMs(failures: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
}

export class Requests {
  /** When the last request was sent, in ms since the epoch. */
  lastSentAt = 0
  readonly #options: RequestsOptions
  #token: string | null = null
  /** A token is being asked for. */
  #refreshing: Promise<void> | null = null

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** Asks the application for a new token. The old one is used until it has come. */
  refreshToken(): Promise<void> {
    this.#refreshing ??= Promise.resolve()
      .then(this.#options.token)
      .then(token => {
        this.#token = token
      })
      .finally(() => {
        this.#refreshing = null
      })
    return this.#refreshing
  }

  /** Resolves to the JSON of the reply, or null. Repeats what may succeed later. @throws Problem */
  async send({ method, path, body, ...options }: ApiRequest): Promise<unknown> {
    const { keepalive = false, retry = !keepalive, signal } = options
    const { retryForMs = RETRY_FOR_MS } = this.#options
    const attempt = { method, path, keepalive, ...encoded(method, body, options) }
    const until = Date.now() + retryForMs
    for (let failures = 1; ; failures++) {
      try {
        return await this.#reply(attempt, options)
      } catch (error) {
        const problem = problemFrom(error, signal)
        const waitMs = problem.retryAfterMs ?? backoffMs(failures)
        if (!retry || !mayRepeat(problem) || Date.now() + waitMs > until) throw problem
        await onlineOrAfter(waitMs, signal)
      }
    }
  }

  async #reply(attempt: Attempt, { timeoutMs = TIMEOUT_MS, signal }: RequestOptions): Promise<unknown> {
    const deadline = new Deadline(signal)
    deadline.set(timeoutMs)
    try {
      const response = await this.open({ ...attempt, signal: deadline.signal })
      const text = await response.text()
      return text ? JSON.parse(text) : null
    } finally {
      deadline.end()
    }
  }

  /** One attempt, or two if the token has expired. Resolves to a reply of success. @throws Problem, or what `fetch` and `token` throw */
  async open(attempt: Attempt): Promise<Response> {
    if (!this.#token) await this.refreshToken()
    const token = this.#token
    let response = await this.#fetch(attempt)
    if (response.status === 401) {
      // Another request may have got a new one meanwhile.
      if (this.#token === token) await this.refreshToken()
      response = await this.#fetch(attempt)
    }
    if (response.ok) return response
    throw await problemOf(response)
  }

  #fetch(attempt: Attempt): Promise<Response> {
    const { url, device, fetch = globalThis.fetch } = this.#options
    const { path, headers, onSend, ...init } = attempt
    this.lastSentAt = Date.now()
    onSend?.()
    return fetch(`${url.replace(/\/$/, '')}/v1${path}`, {
      ...init,
      headers: { ...headers, authorization: `Bearer ${this.#token}`, 'x-device-id': encodeURIComponent(device) },
      // In Firefox a request waits for another one of the same URL whose reply might be cached: for a stream, without end.
      cache: 'no-store'
    })
  }
}

/** What `fetch` and `token` throw counts as a failure of the network. */
export function problemFrom(error: unknown, signal?: AbortSignal): Problem {
  if (error instanceof Problem) return error
  if (signal?.aborted) return new Problem({ code: 'aborted', message: 'Aborted', cause: error })
  const message = error instanceof Error ? error.message : String(error)
  return new Problem({ code: 'network', message, retryable: true, cause: error })
}

function encoded(method: Method, body: unknown, { idempotencyKey }: RequestOptions): Pick<Attempt, 'headers' | 'body'> {
  const key = method === 'POST' ? { 'idempotency-key': idempotencyKey ?? randomId() } : {}
  if (body === undefined) return { headers: key }
  const isText = typeof body === 'string'
  const headers = { ...key, 'content-type': `application/${isText ? 'sdp' : 'json'}` }
  return { headers, body: isText ? body : JSON.stringify(body) }
}
