// What a push subscription must have.
import { createECDH, randomBytes } from 'node:crypto'
import t from 'tap'
import { expiryOf, readSubscription, SUBSCRIPTION_KEPT_MS } from '../../src/domain/push/subscription.js'
import type { SetPushSubscriptionRequest } from '../../src/schemas/push.js'

const point = createECDH('prime256v1').generateKeys()
const keys = { p256dh: point.toString('base64url'), auth: randomBytes(16).toString('base64url') }
const endpoint = 'https://push.example.com/send/a?b=c'
const webpush = { type: 'webpush', endpoint, keys } as const
const apns = { type: 'apns', token: 'ab'.repeat(32) } as const
const fcm = { type: 'fcm', token: 'dGVzdA:APA91b-_x.y%z' } as const

t.test('a subscription is stored without members of other types', async t => {
  const body = { ...webpush, expirationTime: null, topic: null, sandbox: null, contentEncoding: 'aes128gcm' }
  t.strictSame(readSubscription(body), webpush)
  const nulls = { topic: null, sandbox: null, expirationTime: null }
  t.strictSame(readSubscription({ ...apns, ...nulls, token: apns.token.toUpperCase() }), {
    ...apns,
    topic: null,
    sandbox: false
  })
  const given = { topic: 'com.example.app.voip', sandbox: true }
  t.strictSame(readSubscription({ ...apns, ...given, endpoint }), { ...apns, ...given })
  t.strictSame(readSubscription({ ...fcm, ...given, keys }), fcm)
})

const hybrid = Buffer.from(point)
hybrid[0] = 6 + ((point[64] ?? 0) & 1)

const padded = `${keys.p256dh}=`
const offTheCurve = Buffer.from(point)
offTheCurve[64] = (offTheCurve[64] ?? 0) ^ 1

t.strictSame(readSubscription({ ...webpush, keys: { ...keys, p256dh: padded } }).type, 'webpush', 'padding is accepted')

const REFUSED: Readonly<Record<string, readonly [SetPushSubscriptionRequest, path: string]>> = {
  'no endpoint': [{ type: 'webpush', keys }, 'endpoint'],
  http: [{ ...webpush, endpoint: 'http://push.example.com/' }, 'endpoint'],
  'another scheme': [{ ...webpush, endpoint: 'file:///etc/passwd' }, 'endpoint'],
  'no URL': [{ ...webpush, endpoint: 'https://' }, 'endpoint'],
  'a user name': [{ ...webpush, endpoint: 'https://me:secret@push.example.com/' }, 'endpoint'],
  'a fragment': [{ ...webpush, endpoint: 'https://push.example.com/#a' }, 'endpoint'],
  'a line break': [{ ...webpush, endpoint: 'https://push.example.com/\r\nx' }, 'endpoint'],
  'no keys': [{ type: 'webpush', endpoint }, 'keys'],
  'a short key': [{ ...webpush, keys: { ...keys, p256dh: keys.p256dh.slice(4) } }, 'keys/p256dh'],
  'a compressed key': [
    { ...webpush, keys: { ...keys, p256dh: point.subarray(0, 33).toString('base64url') } },
    'keys/p256dh'
  ],
  'a hybrid key': [{ ...webpush, keys: { ...keys, p256dh: hybrid.toString('base64url') } }, 'keys/p256dh'],
  'a key off the curve': [{ ...webpush, keys: { ...keys, p256dh: offTheCurve.toString('base64url') } }, 'keys/p256dh'],
  'a key in base64': [{ ...webpush, keys: { ...keys, auth: '+/+/+/+/+/+/+/+/+/+/+w' } }, 'keys/auth'],
  'a short secret': [{ ...webpush, keys: { ...keys, auth: keys.auth.slice(2) } }, 'keys/auth'],
  'apns without a token': [{ type: 'apns' }, 'token'],
  'a token that is no hex': [{ ...apns, token: `${'ab'.repeat(31)}/x` }, 'token'],
  'a short token': [{ ...apns, token: 'abcd' }, 'token'],
  'a topic with a slash': [{ ...apns, topic: 'com.example/../x' }, 'topic'],
  'an empty topic': [{ ...apns, topic: '' }, 'topic'],
  'fcm without a token': [{ type: 'fcm' }, 'token'],
  'a token with a slash': [{ ...fcm, token: 'dGVzdA:APA91b/../../x' }, 'token']
}

for (const [name, [body, path]] of Object.entries(REFUSED)) {
  t.test(`${name} is refused with the path of the member`, async t => {
    const expected = { code: 'invalid_request', extra: { issues: [{ path: `body/${path}` }] } }
    t.throws(() => readSubscription(body), expected)
  })
}

t.test('a subscription is kept for 90 days, or until it expires', async t => {
  const now = 1_000_000
  t.equal(expiryOf(fcm, now), now + SUBSCRIPTION_KEPT_MS)
  t.equal(expiryOf({ ...webpush, expirationTime: null }, now), now + SUBSCRIPTION_KEPT_MS)
  t.equal(expiryOf({ ...webpush, expirationTime: now + 5000.5 }, now), now + 5000)
  t.equal(expiryOf({ ...webpush, expirationTime: Number.MAX_VALUE }, now), now + SUBSCRIPTION_KEPT_MS)
  t.equal(expiryOf({ ...webpush, expirationTime: 5 }, now), now, 'it has expired')
  t.equal(expiryOf({ ...apns, expirationTime: 5 }, now), now + SUBSCRIPTION_KEPT_MS, 'not a member of this type')
})
