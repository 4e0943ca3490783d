// What a push subscription must have. The URL, keys and tokens come from a user, and the push gateway sends requests made of them.
import { ECDH } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { SetPushSubscriptionRequest } from '../../schemas/push.js'

/** As it is stored, and as the push gateway receives it. */
export type PushSubscription =
  | {
      readonly type: 'webpush'
      readonly endpoint: string
      readonly keys: { readonly p256dh: string; readonly auth: string }
    }
  | { readonly type: 'apns'; readonly token: string; readonly topic: string | null; readonly sandbox: boolean }
  | { readonly type: 'fcm'; readonly token: string }

/** Without a renewal a subscription is kept this long. */
export const SUBSCRIPTION_KEPT_MS = 90 * 24 * 3_600_000

/** Tokens of APNs are opaque; so far they have 64 to 160 hex digits. */
const APNS_TOKEN = /^[0-9A-Fa-f]{64,200}$/
const APNS_TOPIC = /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/
const FCM_TOKEN = /^[\w:.%-]{16,1024}$/
/** In base64url, with or without padding. */
const BASE64URL = /^[\w-]+={0,2}$/

/** RFC 8291, section 3.1: an uncompressed point on P-256, which begins with 4. */
const PUBLIC_KEY_BYTES = 65
const UNCOMPRESSED = 4
/** RFC 8291, section 3.2. */
const AUTH_BYTES = 16

/** Members of other types are left out. @throws AppError invalid_request */
export function readSubscription(body: SetPushSubscriptionRequest): PushSubscription {
  if (body.type === 'webpush') return readWebPush(body)
  const { token } = body
  if (body.type === 'fcm') {
    if (token === undefined || !FCM_TOKEN.test(token)) throw invalid('token', 'must be a registration token of FCM')
    return { type: 'fcm', token }
  }
  if (token === undefined || !APNS_TOKEN.test(token)) throw invalid('token', 'must be a device token of APNs, in hex')
  const topic = body.topic ?? null
  if (topic !== null && !APNS_TOPIC.test(topic)) throw invalid('topic', 'must be a topic such as com.example.app.voip')
  return { type: 'apns', token: token.toLowerCase(), topic, sandbox: body.sandbox ?? false }
}

/** When the subscription is forgotten unless it is renewed. */
export function expiryOf({ type, expirationTime }: SetPushSubscriptionRequest, now: number): number {
  const keptUntil = now + SUBSCRIPTION_KEPT_MS
  if (type !== 'webpush' || expirationTime == null) return keptUntil
  return Math.min(keptUntil, Math.max(now, Math.floor(expirationTime)))
}

function readWebPush({ endpoint, keys }: SetPushSubscriptionRequest): PushSubscription {
  if (endpoint === undefined || !isPushUrl(endpoint))
    throw invalid('endpoint', 'must be an https URL without a user name or fragment')
  if (keys === undefined) throw invalid('keys', 'is missing')
  if (!isPoint(keys.p256dh)) throw invalid('keys/p256dh', 'must be a point on P-256, uncompressed, in base64url')
  if (bytesOf(keys.auth)?.length !== AUTH_BYTES) throw invalid('keys/auth', `must be ${AUTH_BYTES} bytes in base64url`)
  return { type: 'webpush', endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } }
}

function isPushUrl(text: string): boolean {
  if (!text.startsWith('https://') || !/^[!-~]+$/.test(text) || !URL.canParse(text)) return false
  const { username, password, hash } = new URL(text)
  return username === '' && password === '' && hash === ''
}

function isPoint(text: string): boolean {
  const bytes = bytesOf(text)
  if (bytes?.length !== PUBLIC_KEY_BYTES || bytes[0] !== UNCOMPRESSED) return false
  try {
    ECDH.convertKey(bytes, 'prime256v1')
    return true
  } catch {
    return false
  }
}

const bytesOf = (text: string): Buffer | null => (BASE64URL.test(text) ? Buffer.from(text, 'base64url') : null)

const invalid = (path: string, message: string) =>
  new AppError('invalid_request', {
    detail: `body/${path} ${message}`,
    extra: { issues: [{ path: `body/${path}`, message }] }
  })
