// Why a request failed.
import type { Problem as ProblemBody, ProblemCode } from './api.js'

/** `network`: no reply, or a reply that is not from Signalpost, such as a proxy's 502; or `token()` failed. `aborted`: by your signal or `close()`. */
export type FailureCode = ProblemCode | 'network' | 'aborted'

export class Problem extends Error {
  /** What went wrong, for programs: a code of docs/reference/problems.md, or one of `FailureCode`. */
  declare readonly code: FailureCode
  /** Of the reply; 0 without one. */
  readonly status: number = 0
  /** Whether the same request may succeed later. */
  readonly retryable: boolean = false
  /** From the header `Retry-After`; null without it. */
  readonly retryAfterMs: number | null = null
  /** The reply with all its members, such as `polite` of `offer_collision`; null if it is not a problem of Signalpost. */
  readonly body: ProblemBody | null = null

  constructor(fields: { code: FailureCode; message: string; cause?: unknown } & Partial<Problem>) {
    super(fields.message)
    Object.assign(this, fields, { name: 'Problem' })
  }
}

/**
 * Refusals because a call, a room, a participant or a media session is gone. The events of the server say why; they may come after the refusal.
 */
const GONE = /_not_found$|^(call_ended|room_closed|not_in_room|not_sfu|media_unavailable)$/

export const isGone = (error: unknown): boolean => GONE.test((error as Problem).code)

/** A conflict is retryable only after a change: another state, fewer devices. */
export const mayRepeat = ({ retryable, status }: Problem): boolean => retryable && status !== 409

/** The problem in a reply without success. The reply of a proxy counts as a failure of the network: the request may be repeated. */
export async function problemOf(response: Response): Promise<Problem> {
  const { status, headers } = response
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json')
  const body = isProblem ? ((await response.json().catch(() => null)) as ProblemBody | null) : null
  const { code, title, detail, retryable } = body ?? {
    code: 'network',
    title: `HTTP status ${status}`,
    detail: '',
    retryable: true
  }
  return new Problem({
    code,
    message: detail && detail !== title ? `${title}. ${detail}` : title,
    status,
    retryable,
    retryAfterMs: retryAfterMsOf(headers.get('retry-after')),
    body
  })
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMsOf(value: string | null): number | null {
  const ms = Number(value) * 1000 || Date.parse(String(value)) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
