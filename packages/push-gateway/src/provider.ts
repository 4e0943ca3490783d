// What a push service needs to know of a call, and what its reply means.

export interface Notification {
  readonly kind: 'incoming' | 'cancelled'
  readonly callId: string
  /** What the app on the device receives. */
  readonly data: Readonly<Record<string, unknown>>
  /** Ms since 1970. The push service drops the message then. */
  readonly expiresAt: number
}

export type Outcome =
  | { readonly kind: 'sent' }
  /** The push service does not know the subscription, and never will again. */
  | { readonly kind: 'gone' }
  /** It may succeed later. `afterMs`: what the push service asks for; null: nothing. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number | null }
  | { readonly kind: 'refused'; readonly reason: string }

/** Sends to one push service. */
export interface Provider<Subscription> {
  /** @throws Error if no reply arrives in time */
  send(subscription: Subscription, notification: Notification): Promise<Outcome>
  close(): void
}

export interface WebPushSubscription {
  readonly type: 'webpush'
  readonly endpoint: string
  readonly keys: { readonly p256dh: string; readonly auth: string }
}

export interface ApnsSubscription {
  readonly type: 'apns'
  readonly token: string
  readonly topic: string | null
  readonly sandbox: boolean
}

export interface FcmSubscription {
  readonly type: 'fcm'
  readonly token: string
}

export type Subscription = WebPushSubscription | ApnsSubscription | FcmSubscription

export const SENT: Outcome = { kind: 'sent' }
export const GONE: Outcome = { kind: 'gone' }
export const refused = (reason: string): Outcome => ({ kind: 'refused', reason })

/** Busy or failed. `retryAfter`: the header Retry-After in seconds; a date is ignored. */
export function retryLater(status: number, retryAfter: unknown): Outcome {
  const seconds = typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null
  return { kind: 'retry', reason: `status ${status}`, afterMs: seconds === null ? null : seconds * 1000 }
}

export const isTransient = (status: number): boolean => status === 429 || status >= 500

/** How long the push service keeps the message; at least a second, because 0 means that it keeps it not at all. */
export const ttlSeconds = ({ expiresAt }: Notification): number =>
  Math.max(1, Math.ceil((expiresAt - Date.now()) / 1000))
