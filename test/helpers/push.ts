// Push subscriptions as devices make them.
import { createECDH, randomBytes } from 'node:crypto'

/** 32 bytes in base64. */
export const PUSH_KEY = Buffer.from('the-push-key-of-the-tests-has-32').toString('base64')

export const APNS = { type: 'apns', token: 'ab'.repeat(32), topic: null, sandbox: false } as const
export const FCM = { type: 'fcm', token: 'cGhvbmU:APA91bHun4MxP5egoKMwt' } as const

/** A subscription as `PushSubscription.toJSON()` makes it, and the keys of the browser that decrypt its messages. */
export function createWebPushSubscription(endpoint: string) {
  const ecdh = createECDH('prime256v1')
  const publicKey = ecdh.generateKeys()
  const auth = randomBytes(16)
  const keys = { p256dh: publicKey.toString('base64url'), auth: auth.toString('base64url') }
  return { subscription: { type: 'webpush', endpoint, expirationTime: null, keys } as const, ecdh, publicKey, auth }
}
