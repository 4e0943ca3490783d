// The requests of one call.
import type { Method, RequestOptions } from './core.js'
import { Problem } from './problem.js'

export interface Requester {
  request<T>(method: Method, path: string, body?: object, options?: RequestOptions): Promise<T>
  /** Tells the other tabs of this device what it did: the acting device receives no event. */
  share(act: object): void
}

export interface EndRequest {
  readonly body?: object
  readonly options?: RequestOptions
}

/** A refusal because the call has ended. The event that says why may come after it. */
export const isGone = (error: unknown) => ['call_ended', 'call_not_found'].includes((error as Problem).code)

/** What an accept rejects with if the call ended meanwhile, which closes its connection. */
export function endedProblem(reason: string | null): Problem {
  const code = reason === 'answered_elsewhere' ? reason : 'call_ended'
  return new Problem({ code, message: 'The call has ended' })
}

export class CallRequests {
  readonly #requester: Requester

  constructor(requester: Requester) {
    this.#requester = requester
  }

  get<T>(callId: string, what: string): Promise<T> {
    return this.#requester.request('GET', pathOf(callId, what))
  }

  async post<T>(path: string, body: object = {}, options?: RequestOptions): Promise<T> {
    const reply = await this.#requester.request<T>('POST', path, body, options)
    if ('call' in (reply as object)) this.#requester.share(reply as object)
    return reply
  }

  /** `action`: cancel, reject or hangup. */
  async end(callId: string, action: string, { body, options }: EndRequest = {}): Promise<void> {
    await this.post(pathOf(callId, action), body, options).catch(error => {
      if (!isGone(error)) throw error
    })
  }
}

export const pathOf = (callId: string, what: string) => `/calls/${encodeURIComponent(callId)}/${what}`
