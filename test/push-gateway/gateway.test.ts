// The push gateway between the webhook and real push services on this machine.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import type { PushMessage } from '../../packages/push-gateway/src/message.js'
import { APNS, FCM } from '../helpers/push.js'
import { startGateway, WEBHOOK_SECRET } from '../helpers/push-gateway.js'
import { startPushServices } from '../helpers/push-services.js'

const services = await startPushServices()
t.teardown(() => services.close())
const { webPush, apns, fcm } = services

type Devices = Readonly<Record<string, PushMessage['devices'][number]['subscription'] | object>>

const messageTo = (devices: Devices, more: Partial<PushMessage> = {}) => ({
  ...{ kind: 'incoming', callId: 'c1', user: 'bob', from: { user: 'alice', device: 'phone' } },
  ...{ media: 'video', metadata: { topic: 'lunch' }, expiresInMs: 20_000 },
  devices: Object.entries(devices).map(([device, subscription]) => ({ device, subscription })),
  ...more
})

async function openGateway(t: Test, env: Readonly<Record<string, string>> = {}) {
  const url = await startGateway(t, services, env)
  apns.tokens.clear()
  for (const service of [webPush, apns, fcm]) {
    service.received.length = 0
    service.answers.length = 0
    service.connections = 0
  }

  async function post(body: string, headers: Readonly<Record<string, string>>) {
    const reply = await fetch(url, { method: 'POST', body, headers })
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), body: await reply.json() }
  }
  function send(
    data: object,
    { id = String(randomUUID()), type = 'push', secret = WEBHOOK_SECRET, at = new Date() } = {}
  ) {
    const body = JSON.stringify({ type, timestamp: at.toISOString(), data })
    const headers = { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)) }
    return post(body, { ...headers, 'webhook-signature': new Webhook(secret).sign(id, at, body) })
  }
  return { url, post, send }
}

const dataOf = ({ received }: { received: readonly { data: object }[] }) => received.map(({ data }) => data)

t.test('a call wakes devices by Web Push, APNs and FCM, and tells them the call id and the time only', async t => {
  const { send } = await openGateway(t)
  const devices = { browser: webPush.subscribe(), iphone: APNS, android: FCM }
  t.match(await send(messageTo(devices)), { status: 200, body: { gone: [] } })
  const payload = { kind: 'incoming', callId: 'c1', expiresInMs: 20_000 }
  t.strictSame(dataOf(webPush), [payload])
  t.strictSame(dataOf(apns), [{ aps: {}, ...payload }])
  t.strictSame(dataOf(fcm), [{ ...payload, expiresInMs: '20000' }])
  t.equal(webPush.received[0]?.headers.ttl, '20')
  const { headers = {} } = apns.received[0] ?? {}
  t.match(headers, { ':path': `/3/device/${APNS.token}`, 'apns-topic': 'com.example.app.voip' })
  const expiresInS = Number(headers['apns-expiration']) - Date.now() / 1000
  t.ok(expiresInS > 10 && expiresInS <= 21, `${expiresInS}`)
  t.strictSame(fcm.received[0]?.headers, { token: FCM.token, ttl: '20s' })
})

t.test('PUSH_PAYLOAD adds the caller, the media and the metadata, unless that is too large', async t => {
  const { send } = await openGateway(t, { PUSH_PAYLOAD: 'caller,media,metadata' })
  const more = { caller: 'alice', media: 'video', metadata: { topic: 'lunch' } }
  await send(messageTo({ browser: webPush.subscribe(), android: FCM }))
  t.match(dataOf(webPush), [more])
  t.match(dataOf(fcm), [{ ...more, metadata: '{"topic":"lunch"}' }])
  await send(messageTo({ browser: webPush.subscribe() }, { metadata: { text: 'é'.repeat(1500) } }))
  t.strictSame(dataOf(webPush)[1], {
    ...{ kind: 'incoming', callId: 'c1', expiresInMs: 20_000, caller: 'alice', media: 'video' }
  })
})

t.test('a later message of a call replaces the one that waits: the topics are the same', async t => {
  const { send } = await openGateway(t)
  const devices = { browser: webPush.subscribe(), iphone: APNS }
  for (const kind of ['incoming', 'cancelled'] as const) await send(messageTo(devices, { kind }))
  await send(messageTo(devices, { callId: 'c2' }))
  const [topics, ids] = [
    webPush.received.map(({ headers }) => headers.topic),
    apns.received.map(({ headers }) => headers['apns-collapse-id'])
  ]
  for (const [first, second, other] of [topics, ids]) {
    t.equal(first, second)
    t.not(first, other)
  }
  t.match(dataOf(webPush)[1], { kind: 'cancelled' })
})

t.test('subscriptions that the push services do not know are reported as gone', async t => {
  const { send } = await openGateway(t)
  const browser = webPush.subscribe()
  webPush.unsubscribe(browser)
  const tokens = ['aa', 'bb', 'cc', 'dd'].map(pair => ({ ...APNS, token: pair.repeat(32) }))
  const gone = { status: 404, body: { error: { details: [{ errorCode: 'UNREGISTERED' }] } } }
  fcm.answers.push(gone)
  t.match(await send(messageTo({ browser, android: FCM })), { status: 200, body: { gone: ['browser', 'android'] } })
  for (const [status, reason] of [
    [410, 'Unregistered'],
    [400, 'BadDeviceToken'],
    [400, 'DeviceTokenNotForTopic'],
    [400, 'PayloadEmpty']
  ] as const) {
    apns.answers.push({ status, body: { reason } })
    const { body } = await send(messageTo({ iphone: tokens.shift() ?? APNS }))
    t.strictSame(body, { gone: reason === 'PayloadEmpty' ? [] : ['iphone'] }, reason)
  }
  fcm.answers.push({ status: 404, body: { error: { status: 'NOT_FOUND' } } })
  t.match(await send(messageTo({ android: FCM })), { status: 200, body: { gone: [] } }, 'the project is not found')
})

t.test('a webhook that arrives again is not sent again', async t => {
  const { send } = await openGateway(t)
  const browser = webPush.subscribe()
  const unknown = webPush.subscribe()
  webPush.unsubscribe(unknown)
  const message = messageTo({ browser, unknown })
  const replies = await Promise.all([send(message, { id: 'w1' }), send(message, { id: 'w1' })])
  replies.push(await send(message, { id: 'w1' }))
  for (const reply of replies) t.match(reply, { status: 200, body: { gone: ['unknown'] } })
  t.equal(webPush.received.length, 1)
})

t.test(
  'a push service that is busy is asked again within the ring time, then the webhook is to be repeated',
  async t => {
    const { send } = await openGateway(t, { REPLY_WITHIN_MS: '6000' })
    const devices = { browser: webPush.subscribe(), iphone: APNS, android: FCM }
    webPush.answers.push({ status: 503 })
    apns.answers.push({ status: 429, body: { reason: 'TooManyRequests' } })
    fcm.answers.push({ status: 500 })
    t.match(await send(messageTo(devices)), { status: 200, body: { gone: [] } })
    for (const service of [webPush, apns, fcm]) t.equal(service.received.length, 1)

    webPush.answers.push({ status: 429, headers: { 'retry-after': '7' } })
    const message = messageTo({ browser: webPush.subscribe(), android: FCM })
    t.match(await send(message, { id: 'busy' }), { status: 503, retryAfter: '7' })
    t.equal(webPush.received.length, 1)
    t.match(await send(message, { id: 'busy' }), { status: 200, body: { gone: [] } })
    t.equal(webPush.received.length, 2)
    t.equal(fcm.received.length, 2, 'the device that was reached is not woken again')

    webPush.answers.push({ status: 429, headers: { 'retry-after': '7' } })
    const short = messageTo({ browser: webPush.subscribe() }, { expiresInMs: 5000 })
    t.match(await send(short), { status: 200 }, 'the call does not ring any more then')
  }
)

t.test('connections are used again, and replaced when the push service ends them', async t => {
  const { send } = await openGateway(t)
  for (let i = 0; i < 3; i++) await send(messageTo({ browser: webPush.subscribe(), iphone: APNS, android: FCM }))
  t.strictSame(
    [webPush, apns].map(({ connections }) => connections),
    [1, 1]
  )
  t.equal(apns.tokens.size, 1, 'and so is the provider token')
  apns.disconnect()
  fcm.disconnect()
  await send(messageTo({ iphone: APNS, android: FCM }))
  t.equal(apns.received.length, 4)
  t.equal(fcm.received.length, 4)
})

t.test('an expired provider token and a revoked access token are replaced', async t => {
  const { send } = await openGateway(t)
  await send(messageTo({ iphone: APNS, android: FCM }))
  apns.answers.push({ status: 403, body: { reason: 'ExpiredProviderToken' } })
  fcm.issued.push('another')
  t.match(await send(messageTo({ iphone: APNS, android: FCM })), { status: 200 })
  t.equal(apns.received.length, 2)
  t.equal(fcm.received.length, 2)
})

t.test('what is not signed, is too old or is another event is not sent', async t => {
  const { send, post, url } = await openGateway(t)
  const message = messageTo({ browser: webPush.subscribe() })
  const other = `whsec_${Buffer.from('another-secret-of-the-gateway').toString('base64')}`
  t.equal((await send(message, { secret: other })).status, 401)
  t.equal((await send(message, { at: new Date(Date.now() - 600_000) })).status, 401)
  t.equal((await post(JSON.stringify(message), {})).status, 401)
  t.equal((await post('x'.repeat(2_000_000), {})).status, 413)
  t.match(await send(message, { type: 'call.ended' }), { status: 200, body: {} })
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  t.equal((await fetch(url)).status, 405)
  t.equal(webPush.received.length, 0)
})

t.test('a private address is refused as the endpoint of Web Push', async t => {
  const { send } = await openGateway(t, { WEB_PUSH_ALLOW_PRIVATE: '' })
  const { keys } = webPush.subscribe()
  const { port } = new URL(webPush.url)
  const hosts = ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '169.254.169.254', '10.0.0.1']
  for (const host of hosts) {
    const endpoint = `https://${host}:${port}/push/x`
    const reply = await send(messageTo({ browser: { type: 'webpush', endpoint, keys } }))
    t.match(reply, { status: 200, body: { gone: [] } }, `${host} is not tried again`)
  }
  t.equal(webPush.connections, 0)
})

t.test('a storm makes no more requests at a time than CONCURRENCY', async t => {
  const { send } = await openGateway(t, { CONCURRENCY: '3' })
  const calls = Array.from({ length: 40 }, (_, n) => messageTo({ browser: webPush.subscribe() }, { callId: `c${n}` }))
  const replies = await Promise.all(calls.map(call => send(call)))
  t.ok(replies.every(({ status }) => status === 200))
  t.equal(webPush.received.length, 40)
  t.ok(webPush.connections <= 3, `${webPush.connections}`)
})

t.test('a push service that does not answer costs TIMEOUT_MS, and no other', async t => {
  const { createServer } = await import('node:net')
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => void silent.close())
  const endpoint = `https://localhost:${(silent.address() as AddressInfo).port}/push/x`
  const { send } = await openGateway(t, { TIMEOUT_MS: '200', REPLY_WITHIN_MS: '300' })
  const { keys } = webPush.subscribe()
  const devices = { silent: { type: 'webpush', endpoint, keys }, browser: webPush.subscribe() }
  t.match(await send(messageTo(devices), { id: 'silent' }), { status: 503 })
  t.equal(webPush.received.length, 1)
})

t.test('a user whose devices all hang delays no other user', async t => {
  const { createServer } = await import('node:net')
  const sockets: Socket[] = []
  const silent = createServer(socket => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => void silent.close())
  const endpoint = `https://localhost:${(silent.address() as AddressInfo).port}/push/x`
  const { send } = await openGateway(t, { TIMEOUT_MS: '20000', REPLY_WITHIN_MS: '1000', CONCURRENCY: '16' })
  const { keys } = webPush.subscribe()
  const hanging = Array.from({ length: 32 }, (_, n) => [`d${n}`, { type: 'webpush', endpoint, keys }])
  const first = send(messageTo(Object.fromEntries(hanging), { user: 'eve' }))
  await once(silent, 'connection')
  t.match(await send(messageTo({ browser: webPush.subscribe() })), { status: 200 })
  t.ok(sockets.length <= 8, `${sockets.length}`)
  for (const socket of sockets) socket.destroy()
  silent.close()
  t.match(await first, { status: 503 })
})

t.test('the push services found no fault in all these requests', async t => {
  t.strictSame([...webPush.faults, ...apns.faults, ...fcm.faults], [])
})
