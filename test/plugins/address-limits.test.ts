// The limit of an address for requests without a valid token.
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { ManualClock } from '../helpers/clock.js'

/** Tests with the same environment share a node, because building one takes longer than a test. Each test has its own addresses. */
const nodes = new Map<string, ReturnType<typeof build>>()
let addresses = 0

async function node(env: Record<string, string> = {}) {
  const key = JSON.stringify(env)
  const shared = nodes.get(key) ?? build(env)
  nodes.set(key, shared)
  const { app, clock, config } = await shared
  const [here, there] = [`192.0.2.${++addresses}`, `192.0.2.${++addresses}`]
  const ask = (url: string, remoteAddress = here, options: InjectOptions = {}) =>
    app.inject({ url, remoteAddress, ...options })
  const statuses = async (count: number, url: string, remoteAddress = here, options: InjectOptions = {}) => {
    const replies: number[] = []
    for (let i = 0; i < count; i++) replies.push((await ask(url, remoteAddress, options)).statusCode)
    return replies
  }
  const bearer = async (user: string) => ({
    headers: { authorization: `Bearer ${await createToken(config, { user })}` }
  })
  return { app, clock, ask, statuses, bearer, here, there }
}

async function build(env: Record<string, string>) {
  const config = loadConfig({ LOG_LEVEL: 'silent', RATE_LIMIT_ADDRESS: '3', ...env })
  const clock = new ManualClock(Date.now())
  const app = await buildApp(config, { clock })
  t.teardown(() => app.close())
  return { app, clock, config }
}

t.test('public pages and unknown paths are charged to the address', async t => {
  const { clock, ask, statuses, there } = await node()
  t.strictSame(await statuses(1, '/problems/callee_busy'), [200])
  t.strictSame(await statuses(2, '/v1/nothing'), [404, 404])
  for (const path of ['/openapi.json', '/docs/', '/docs/static/index.html', '/metrics', '/nothing', '/v1/nothing']) {
    const refused = await ask(path)
    t.match(refused.json(), { code: 'rate_limited', retryable: true }, path)
    t.equal(refused.headers['retry-after'], '10')
  }
  t.strictSame(await statuses(1, '/problems/callee_busy', there), [200], 'another address has its own budget')
  clock.advance(10_000)
  t.strictSame(
    await statuses(4, '/problems/callee_busy'),
    [200, 200, 200, 429],
    'the budget is full again in the next window'
  )
})

t.test('a path that cannot be decoded is charged to the address, below /v1 too', async t => {
  const { ask, statuses } = await node()
  t.strictSame(await statuses(3, '/v1/calls/%zz'), [400, 400, 400])
  const refused = await ask('/%zz')
  t.match(refused.json(), { code: 'rate_limited' })
  t.equal(refused.headers['retry-after'], '10')
  t.strictSame(await statuses(1, '/nothing'), [429])
})

t.test('health probes are not charged and never refused', async t => {
  const { statuses } = await node()
  t.strictSame(await statuses(5, '/healthz'), [200, 200, 200, 200, 200])
  t.strictSame(await statuses(4, '/nothing'), [404, 404, 404, 429])
  t.strictSame(await statuses(1, '/readyz?full'), [200])
})

t.test(
  'refused tokens are charged; when the budget is spent, only tokens that this node has verified are accepted',
  async t => {
    const { clock, ask, statuses, bearer, here } = await node()
    const alice = await bearer('alice')
    t.strictSame(await statuses(5, '/v1/calls', here, alice), [200, 200, 200, 200, 200], 'a valid token costs nothing')
    t.strictSame(await statuses(1, '/v1/calls'), [401])
    t.strictSame(await statuses(1, '/v1/calls', here, { headers: { authorization: 'Bearer a.b.c' } }), [401])
    t.strictSame(await statuses(1, '/v1/events?ticket=Ym9i.0123456789abcdef'), [401])
    t.strictSame(await statuses(1, '/v1/calls'), [429])
    t.strictSame(await statuses(1, '/v1/calls', here, { headers: { authorization: 'Bearer a.b.c' } }), [429])
    t.strictSame(
      await statuses(1, '/v1/calls', here, await bearer('bob')),
      [429],
      'a token that is new to the node would have to be verified'
    )
    t.strictSame(await statuses(2, '/v1/calls', here, alice), [200, 200])
    const stream = await ask('/v1/events?ticket=Ym9i.0123456789abcdef')
    t.equal(stream.statusCode, 200, 'an EventSource would stop for good after a 429')
    t.match(stream.body, /^retry: \d+\n.*"reason":"rate_limited"/s)
    clock.advance(10_000)
    t.strictSame(await statuses(1, '/v1/calls', here, await bearer('bob')), [200])
  }
)

t.test('all addresses of an IPv6 /64 share one budget', async t => {
  const { statuses } = await node()
  for (let i = 1; i <= 3; i++) t.strictSame(await statuses(1, '/nothing', `2001:db8:1:2::${i}`), [404])
  t.strictSame(await statuses(1, '/nothing', '2001:db8:1:2:ffff::1'), [429])
  t.strictSame(await statuses(1, '/nothing', '2001:db8:1:3::1'), [404])
})

const via = (...addresses: string[]): InjectOptions => ({ headers: { 'x-forwarded-for': addresses.join(', ') } })

t.test('behind a trusted proxy the budget is that of the address in X-Forwarded-For', async t => {
  const { statuses, here, there } = await node({ TRUST_PROXY: '10.0.0.0/8' })
  t.strictSame(await statuses(4, '/nothing', '10.0.0.1', via('198.51.100.9', here)), [404, 404, 404, 429])
  t.strictSame(await statuses(1, '/nothing', '10.0.0.2', via(here)), [429], 'through another proxy')
  t.strictSame(await statuses(1, '/nothing', '10.0.0.1', via(there)), [404])
  t.strictSame(
    await statuses(1, '/nothing', here, via(there)),
    [429],
    'the header of a client that is not a proxy is ignored'
  )
})

t.test('without a trusted proxy X-Forwarded-For is ignored', async t => {
  const { statuses, here, there } = await node()
  for (let i = 0; i < 3; i++) t.strictSame(await statuses(1, '/nothing', here, via(`198.51.100.${i}`)), [404])
  t.strictSame(await statuses(1, '/nothing', here, via(there)), [429])
})

t.test('CORS preflights are not charged', async t => {
  const { statuses, here } = await node({ CORS_ORIGINS: 'https://app.example' })
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  t.strictSame(await statuses(5, '/v1/calls', here, { method: 'OPTIONS', headers }), [204, 204, 204, 204, 204])
})

t.test('the OpenAPI document is serialized once, and has an ETag', async t => {
  const { app, ask, here } = await node({ RATE_LIMIT_ADDRESS: '100' })
  const paths = ['/openapi.json', '/openapi.yaml', '/openapi-3.0.json']
  const first = new Map<string, string>()
  for (const path of paths) first.set(path, (await ask(path)).body)
  app.swagger = () => {
    throw new Error('the document is serialized again')
  }
  for (const path of paths) {
    const second = await ask(path)
    t.equal(second.body, first.get(path))
    t.match(second.headers['cache-control'], /max-age/)
    const etag = String(second.headers.etag)
    t.match(await ask(path, here, { headers: { 'if-none-match': etag } }), { statusCode: 304, body: '' })
  }
  for (const path of ['/docs/json', '/docs/yaml'])
    t.match(await ask(path), { statusCode: 302, headers: { location: '/openapi.json' } })
})
