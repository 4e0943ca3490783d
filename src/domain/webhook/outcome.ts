// What the reply to a webhook means, and when it is sent again.

/** Null: no reply arrived in time, or the address was refused. */
export type WebhookReply = {
  readonly status: number
  /** The header Retry-After; null: none. */
  readonly retryAfter: string | null
} | null

export type WebhookOutcome =
  | { readonly kind: 'delivered' }
  /** 410: the receiver wants no more events. */
  | { readonly kind: 'disabled' }
  /** `isBusy`: the receiver asks to wait, with Retry-After. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly isBusy: boolean }
  /** It was tried for long enough. */
  | { readonly kind: 'given_up' }

export interface Attempt {
  /** Failed attempts before this one. */
  readonly failures: number
  /** Since the event happened, or was replayed. */
  readonly ageMs: number
  /** In [0, 1). */
  readonly random: number
  readonly now: number
}

export interface RetryBounds {
  readonly retryMaxMs: number
  readonly giveUpMs: number
}

/** 1 s, 2 s, 4 s, … */
const FIRST_RETRY_MS = 1000
/** With these a receiver says that it is too busy (RFC 6585, section 4, and RFC 9110, section 15.6.4). */
const BUSY: readonly number[] = [429, 503]

export function judgeReply(reply: WebhookReply, attempt: Attempt, bounds: RetryBounds): WebhookOutcome {
  const status = reply?.status ?? 0
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status === 410) return { kind: 'disabled' }
  const wanted = BUSY.includes(status) ? retryAfterMs(reply?.retryAfter ?? null, attempt.now) : null
  const leftMs = bounds.giveUpMs - attempt.ageMs
  // A receiver that wants a longer pause gets the event once more before it is given up.
  const delayMs = Math.max(backoffMs(attempt, bounds), Math.min(wanted ?? 0, leftMs))
  return attempt.ageMs + delayMs > bounds.giveUpMs
    ? { kind: 'given_up' }
    : { kind: 'retry', delayMs, isBusy: wanted !== null }
}

/** Doubles with each failure up to `retryMaxMs`; between half of it and all of it, so that what failed together is not tried together. */
export function backoffMs(
  { failures, random }: Pick<Attempt, 'failures' | 'random'>,
  { retryMaxMs }: Pick<RetryBounds, 'retryMaxMs'>
): number {
  const fullMs = Math.min(retryMaxMs, FIRST_RETRY_MS * 2 ** Math.min(failures, 30))
  return Math.ceil(fullMs * (0.5 + random / 2))
}

/** Seconds, or an HTTP date (RFC 9110, section 10.2.3). Null: neither. */
export function retryAfterMs(value: string | null, now: number): number | null {
  if (value === null) return null
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const at = /^[A-Z][a-z]{2},/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
