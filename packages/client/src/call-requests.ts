// What the requests of a call have in common.
import type { Method, RequestOptions } from './core.js'
import { Problem } from './problem.js'

export interface Requester {
  /** Tells the other tabs of this device what it did: the acting device receives no event. */
  request<T>(method: Method, path: string, body?: object, options?: RequestOptions): Promise<T>
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

/** Resolves also if the call has ended already. */
export async function endCall(
  requester: Requester,
  path: string,
  { body = {}, options }: EndRequest = {}
): Promise<void> {
  await requester.request('POST', path, body, options).catch(error => {
    if (!isGone(error)) throw error
  })
}

export const pathOf = (callId: string, what: string) => `/calls/${encodeURIComponent(callId)}/${what}`
