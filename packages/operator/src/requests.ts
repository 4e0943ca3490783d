// Requests to the admin API of the server that the page comes from.
import type { Find } from '../../client/src/operations.js'
import { Problem, problemOf } from '../../client/src/problem.js'
import { problemFrom } from '../../client/src/requests.js'
import type { Operations } from './api.js'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
type Operation<M extends Method, Path extends string> = Find<Operations, M, Path>

export interface RequestOptions<Body = unknown> {
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: Body
  readonly signal?: AbortSignal
}

/** The server, without a slash at the end: where the page is, so that a proxy may serve both below a path. */
const SERVER_URL = new URL('.', location.href).href.replace(/\/$/, '')
const TIMEOUT_MS = 15_000

export class AdminApi {
  readonly #secret: string

  /** `secret`: an ADMIN_SECRET, or a token of an operator. */
  constructor(secret: string) {
    this.#secret = secret
  }

  /** Resolves to the body of the reply; null if it has none. `path`: behind `/v1`. @throws Problem */
  async send<M extends Method, const Path extends string>(
    method: M,
    path: Path,
    { query, body, signal }: RequestOptions<Operation<M, Path>['body']> = {}
  ): Promise<Operation<M, Path>['reply']> {
    const hasBody = body !== undefined
    const parameters = new URLSearchParams(Object.entries(query ?? {}).map(([name, value]) => [name, String(value)]))
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const response = await fetch(`${SERVER_URL}/v1${path}${query ? `?${parameters}` : ''}`, {
        method,
        headers: { authorization: `Bearer ${this.#secret}`, ...(hasBody && { 'content-type': 'application/json' }) },
        body: hasBody ? JSON.stringify(body) : null,
        cache: 'no-store',
        credentials: 'omit',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout
      })
      if (!response.ok) throw await problemOf(response)
      const text = await response.text()
      return (text === '' ? null : JSON.parse(text)) as Operation<M, Path>['reply']
    } catch (error) {
      throw problemFrom(error, signal)
    }
  }

  /** @throws Problem if the server refuses the secret, or cannot be reached. It needs no Redis. */
  async check(): Promise<void> {
    await this.send('GET', '/admin/openapi.json')
  }
}

/** The secret or token was refused. */
export const isRefused = (error: unknown): error is Problem => error instanceof Problem && error.status === 401

/** Encodes an id for a path, and for the address of the page. */
export const part = (id: string): string => encodeURIComponent(id)
