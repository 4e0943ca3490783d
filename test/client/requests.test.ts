// Requests: retries, Retry-After, idempotency, tokens.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type Problem, SignalpostCore } from '../../packages/client/src/core.js'
import { createClient, startNode, startProxiedNode, tokenFor, tokenOf } from './fixture.js'

const SECRET = 'the-secret-of-these-clients-is-32-bytes-long'

t.test('a create whose reply is lost is repeated, and done once', async t => {
  const { proxy, node } = await startProxiedNode(t)
  const bob = createClient(t, node.url)
  const incoming: string[] = []
  bob.on('call.incoming', ({ callId }) => incoming.push(callId))
  await bob.connect()
  const alice = createClient(t, proxy.url, { user: 'alice' })
  const lost = proxy.loseReplyTo('post /v1/calls ')
  const { call, resolution } = await alice.request('POST', '/calls', { to: 'bob' })
  await lost
  const { calls } = await alice.request('GET', '/calls')
  t.strictSame([resolution, calls.map(({ callId }) => callId)], ['existing', [call.callId]])
  await bob.request('POST', `/calls/${call.callId}/reject`)
  t.strictSame(incoming, [call.callId])
})

t.test('each POST has a key of its own, and you may give one', async t => {
  const { proxy } = await startProxiedNode(t)
  const alice = createClient(t, proxy.url, { user: 'alice' })
  await alice.request('POST', '/rooms/r1/participants', {})
  const first = await alice.request('POST', '/rooms/r1/messages', { content: 'one' })
  const second = await alice.request('POST', '/rooms/r1/messages', { content: 'one' })
  const own = [1, 2].map(() =>
    alice.request('POST', '/rooms/r1/messages', { content: 'one' }, { idempotencyKey: 'the-same-key' })
  )
  const [third, fourth] = await Promise.all(own)
  t.equal(new Set([first, second, third, fourth].map(reply => reply?.message.messageId)).size, 3)
})

t.test('after 429 the request is repeated when Retry-After says', async t => {
  const { url } = await startNode(t, { RATE_LIMIT_READS: '2' })
  const client = createClient(t, url)
  const before = Date.now()
  for (let i = 0; i < 5; i++) await client.request('GET', '/calls')
  t.ok(Date.now() - before >= 1000, 'two reads in a second')
})

t.test('a Retry-After beyond the time for retries is left to the caller', async t => {
  const { url } = await startNode(t, { RATE_LIMIT_CALLS: '1' })
  const bob = createClient(t, url)
  await bob.connect()
  const client = createClient(t, url, { user: 'alice', retryForMs: 500 })
  await client.request('POST', '/calls', { to: 'bob', callId: 'c1' })
  await client.request('POST', '/calls/c1/cancel')
  const problem = await client.request('POST', '/calls', { to: 'bob', callId: 'c2' }).catch((error: Problem) => error)
  t.match(problem, { code: 'rate_limited', status: 429, retryable: true, retryAfterMs: Number })
})

t.test('conflicts and refusals are not repeated', async t => {
  const { proxy } = await startProxiedNode(t)
  const client = createClient(t, proxy.url)
  await t.rejects(client.request('POST', '/calls', { to: 'carol' }), { code: 'callee_unreachable', status: 409 })
  await t.rejects(client.request('GET', '/calls/unknown'), { code: 'call_not_found', status: 404, retryable: false })
  await t.rejects(client.request('POST', '/calls', { to: 7 } as never), {
    code: 'invalid_request',
    body: { issues: Array }
  })
  t.equal(proxy.heads.length, 3)
})

t.test('while no node can be reached, a request is repeated for the time for retries', async t => {
  const { proxy, node } = await startProxiedNode(t)
  proxy.refuse()
  const hasty = createClient(t, proxy.url, { retryForMs: 300 })
  await t.rejects(hasty.request('GET', '/calls'), { code: 'network', status: 0, retryable: true })
  await t.rejects(hasty.request('GET', '/calls', undefined, { retry: false }), { code: 'network' })
  const calls = createClient(t, proxy.url).request('GET', '/calls')
  proxy.passTo(node.url)
  t.strictSame(await calls, { calls: [] })
})

t.test('a request that is late is repeated, and one that is aborted is not', async t => {
  const { url, requests } = await startServer(t, [null, 200])
  const client = createClient(t, url)
  t.strictSame(await client.request('GET', '/calls', undefined, { timeoutMs: 200 }), { ok: true })
  t.equal(requests.length, 2)
  const aborting = new AbortController()
  const aborted = client.request('GET', '/calls', undefined, { signal: aborting.signal })
  aborting.abort()
  await t.rejects(aborted, { code: 'aborted', retryable: false })
})

t.test('replies of a proxy are repeated, with Retry-After as seconds or a date', async t => {
  const { url, requests } = await startServer(t, [502, { 'retry-after': '1' }, { 'retry-after': 'date' }, 200])
  const client = createClient(t, url)
  t.strictSame(await client.request('GET', '/calls'), { ok: true })
  t.ok((requests[2] ?? 0) - (requests[1] ?? 0) >= 990, 'after a second')
  t.ok((requests[3] ?? 0) - (requests[2] ?? 0) >= 990, 'after the date')
})

t.test('a token that has expired is replaced, once', async t => {
  const { url } = await startNode(t, { JWT_SECRET: SECRET, JWT_LEEWAY_MS: '0' })
  let asked = 0
  const tokens = [await tokenFor('bob', -5000, SECRET), await tokenFor('bob', 60_000, SECRET)]
  const client = createClient(t, url, { token: async () => tokens[asked++] ?? '' })
  const replies = [client.request('GET', '/calls'), client.request('GET', '/blocks')]
  t.strictSame(await Promise.all(replies), [{ calls: [] }, { blocks: [] }])
  t.equal(asked, 2, 'both requests share the new token')

  const [expired = ''] = tokens
  asked = 0
  const other = createClient(t, url, { token: async () => (++asked > 0 ? expired : '') })
  await t.rejects(other.request('GET', '/calls'), { code: 'token_expired', status: 401, retryable: false })
  t.equal(asked, 2)
  const reasons: string[] = []
  other.on('closed', ({ reason }) => reasons.push(reason))
  await t.rejects(other.connect(), { code: 'token_expired' })
  t.strictSame([other.connection, reasons], ['closed', ['token_expired']])
})

t.test('a token that cannot be had now is asked for again', async t => {
  const { url } = await startNode(t)
  let asked = 0
  const client = new SignalpostCore({
    url: `${url}/`,
    token: () => {
      if (++asked < 3) throw new Error('not signed in yet')
      return tokenOf('bob')
    }
  })
  await client.connect()
  t.strictSame([client.user, asked, client.device.length], ['bob', 3, 32])
  await client.close()
})

/** A server that gives these replies in turn; null: none. Further requests get the last one. */
async function startServer(t: Test, replies: readonly (number | null | Record<string, string>)[]) {
  const requests: number[] = []
  const server = createServer((_request, response) => {
    const reply = replies[Math.min(requests.push(Date.now()), replies.length) - 1] ?? null
    if (reply === null) return
    if (reply === 200) return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
    if (typeof reply === 'number') return void response.writeHead(reply).end('<h1>Bad gateway</h1>')
    // A date has whole seconds.
    const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000).toUTCString()
    const value = reply['retry-after'] === 'date' ? date : (reply['retry-after'] ?? '')
    response.writeHead(503, { 'retry-after': value }).end('starting')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}
