// Requests of webhooks: signature, and addresses that are refused.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { sendRequest } from '../../src/adapters/outgoing.js'
import { isPrivateHost, isPublicAddress } from '../../src/adapters/public-addresses.js'
import { sendWebhook, signatureHeaders } from '../../src/adapters/webhooks.js'

const KEYS = [Buffer.alloc(24, 1), Buffer.alloc(32, 0xfb)]
const [FIRST, SECOND] = KEYS.map(key => `whsec_${key.toString('base64')}`) as [string, string]
const OTHER = `whsec_${Buffer.alloc(24, 3).toString('base64')}`
const message = { id: 'msg_1', body: '{"type":"call.ended","data":{"name":"Grüße"}}', now: Date.now() }
const open = new AbortController().signal

async function receiver(t: Test, answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '::')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

const send = (url: string, { webhookAllowPrivate = true, keys = KEYS, webhookTimeoutMs = 10_000 } = {}) =>
  sendWebhook({ webhookTimeoutMs, webhookAllowPrivate }, { url, keys, signal: open }, message)

t.test('the public library verifies the request with each of two secrets, and with no other one', async t => {
  let body = ''
  let headers: Record<string, string> = {}
  const port = await receiver(t, async (request, reply) => {
    headers = request.headers as Record<string, string>
    for await (const chunk of request) body += chunk
    reply.writeHead(204).end()
  })
  t.strictSame(await send(`http://127.0.0.1:${port}/hook?x=1`), { status: 204, text: '' })
  for (const secret of [FIRST, SECOND]) t.same(new Webhook(secret).verify(body, headers), JSON.parse(message.body))
  t.throws(() => new Webhook(OTHER).verify(body, headers), { name: 'WebhookVerificationError' })
  t.throws(() => new Webhook(FIRST).verify(`${body} `, headers), { name: 'WebhookVerificationError' })
  t.match(headers, { 'webhook-id': 'msg_1', 'content-type': 'application/json' })
})

t.test('the signature is that of the library', async t => {
  const expected = new Webhook(SECOND).sign(message.id, new Date(message.now), message.body)
  t.equal(signatureHeaders(message, [KEYS[1] as Buffer])['webhook-signature'], expected)
  t.equal(signatureHeaders(message, KEYS)['webhook-signature']?.split(' ').length, 2)
})

t.test('the example of the specification has the signature that it says', async t => {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', now: 1_614_265_330_999, body: '{"test": 2432232314}' }
  t.strictSame(signatureHeaders(example, [key]), {
    'webhook-id': example.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  })
})

t.test('a large reply is cut off, and its status counts', async t => {
  const port = await receiver(t, (_request, reply) => {
    const write = () => {
      while (!reply.destroyed && reply.write(Buffer.alloc(64 * 1024, 'x')));
    }
    reply.on('drain', write)
    write()
  })
  const { status, text } = await send(`http://127.0.0.1:${port}`)
  t.equal(status, 200)
  t.ok(text.length <= 64 * 1024)
})

t.test('a redirect is not followed', async t => {
  const paths: (string | undefined)[] = []
  const port = await receiver(t, ({ url }, reply) => {
    paths.push(url)
    reply.writeHead(307, { location: '/elsewhere' }).end()
  })
  await t.rejects(send(`http://127.0.0.1:${port}/hook`), { message: 'replied with the redirect 307' })
  t.strictSame(paths, ['/hook'])
})

t.test('a receiver that does not reply in time is given up', async t => {
  const port = await receiver(t, () => undefined)
  await t.rejects(send(`http://127.0.0.1:${port}`, { webhookTimeoutMs: 50 }), { name: 'TimeoutError' })
})

t.test('Retry-After is passed on', async t => {
  const port = await receiver(t, (_request, reply) => reply.writeHead(429, { 'retry-after': '17' }).end('later'))
  t.strictSame(await send(`http://127.0.0.1:${port}`), { status: 429, text: 'later', retryAfter: '17' })
})

t.test('no connection is made to an address that is not public, whether it is written or looked up', async t => {
  let count = 0
  const port = await receiver(t, (_request, reply) => {
    count++
    reply.end('ok')
  })
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    'localhost'
  ]
  for (const host of hosts)
    await t.rejects(
      send(`http://${host}:${port}`, { webhookAllowPrivate: false }),
      { message: 'the address is not public' },
      host
    )
  t.equal(count, 0)
  t.equal((await send(`http://localhost:${port}`)).status, 200, 'unless that is allowed')
  // The connection of this request is kept. A webhook does not use it.
  await sendRequest(`http://localhost:${port}`, { timeoutMs: 10_000, maxBytes: 10 })
  await t.rejects(send(`http://localhost:${port}`, { webhookAllowPrivate: false }), {
    message: 'the address is not public'
  })
  t.equal(count, 2)
})

const PRIVATE = [
  ...[
    '0.0.0.0',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.0.1',
    '169.254.169.254'
  ],
  ...[
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1'
  ],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...[
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:a00:1',
    '::8.8.8.8',
    '64:ff9b::10.0.0.1',
    '64:ff9b::7f00:1'
  ],
  ...['64:ff9b:1::8.8.8.8', '100::1', '2001::1', '2001:db8::1', '2002:a00:1::', '3fff::1', 'fc00::1', 'fd12:3456::1'],
  ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '5f00::1', '', 'example.com', '1.2.3']
]
const PUBLIC = [
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.0.1',
  '172.32.0.1',
  '192.167.0.1',
  '223.255.255.255'
]
const PUBLIC_V6 = ['2606:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888', '64:ff9b::8.8.8.8']

t.test('which addresses are public', async t => {
  for (const address of PRIVATE) t.notOk(isPublicAddress(address), address)
  for (const address of [...PUBLIC, ...PUBLIC_V6]) t.ok(isPublicAddress(address), address)
  t.ok(isPrivateHost('https://[fe80::1]:8443/x'))
  t.notOk(isPrivateHost('https://[2606:4700::1111]/x'))
  t.notOk(isPrivateHost('https://example.com/x'), 'a name is looked up')
})
