import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { buildApp } from '../../src/app.js'
import { type Config, loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'

const config: Config = loadConfig({
  LOG_LEVEL: 'silent',
  PLAYGROUND: 'off',
  CORS_ORIGINS: 'https://app.example',
  DRAIN_WINDOW_MS: '0'
})

async function build(t: Test) {
  let availableSince: number | null = 0
  const clock = new ManualClock(Date.now())
  const memory = createMemoryStore({ ...LIMITS, clock })
  const store: Store = { ...memory, availableSince: () => availableSince }
  const app = await buildApp(config, { clock, store })
  t.teardown(async () => {
    await app.close()
    await memory.close()
  })
  return { app, clock, loseStore: () => (availableSince = null), regainStore: () => (availableSince = 1) }
}

t.test('readiness fails without the store and during a drain; liveness does not', async t => {
  const { app, clock, loseStore, regainStore } = await build(t)
  t.match(await app.inject('/readyz'), { statusCode: 200, body: '{"status":"ready"}' })
  t.match(await app.inject({ method: 'HEAD', url: '/readyz' }), { statusCode: 200, body: '' })

  loseStore()
  const away = await app.inject('/readyz')
  t.match(away.json(), { status: 503, code: 'store_unavailable' })
  t.ok(away.headers['retry-after'])
  regainStore()
  t.equal((await app.inject('/readyz')).statusCode, 200)

  const drained = app.drain()
  t.match((await app.inject('/readyz')).json(), { status: 503, code: 'shutting_down' }, 'at once')
  t.match(await app.inject('/healthz'), { statusCode: 200, body: '{"status":"ok"}' }, 'still alive')
  clock.advance(config.drainSettleMs)
  await drained
})

t.test('metrics count requests by route template and contain no id', async t => {
  const { app } = await build(t)
  const authorization = `Bearer ${await createToken(config, { user: 'alice' })}`
  t.equal((await app.inject({ url: '/v1/calls/some-call', headers: { authorization } })).statusCode, 404)
  await app.inject('/no/such/path')
  const reply = await app.inject('/metrics')
  t.match(reply.headers['content-type'], 'text/plain; version=0.0.4')
  t.match(
    reply.body,
    /signalpost_http_request_seconds_count\{[^}]*route="\/v1\/calls\/:callId"[^}]*status="4xx"[^}]*\} 1/
  )
  t.match(reply.body, 'signalpost_problems_total{code="call_not_found"} 1')
  t.match(reply.body, 'nodejs_eventloop_lag_seconds')
  t.notMatch(reply.body, /some-call|no\/such/)
})

t.test('CORS allows the pages of listed origins only', async t => {
  const { app } = await build(t)
  const preflight = (origin: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/v1/calls',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
    })
  const headers = (await preflight('https://app.example')).headers
  t.match(headers, {
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'authorization'
  })
  t.equal((await preflight('https://evil.example')).headers['access-control-allow-origin'], undefined)
  t.match((await app.inject('/healthz')).headers, {
    'x-content-type-options': 'nosniff'
  })
})

t.test('all replies of /v1 and all problems have Cache-Control: no-store', async t => {
  const { app } = await build(t)
  const authorization = `Bearer ${await createToken(config, { user: 'alice' })}`
  const { paths } = (await app.inject('/openapi.json')).json() as { paths: Record<string, Record<string, unknown>> }
  // Not the stream, which takes over the socket: test/delivery checks its head.
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/') && path !== '/v1/events')
    .flatMap(([path, methods]) => Object.keys(methods).map(method => ({ path, method })))
  t.ok(operations.length > 30)
  for (const { path, method } of operations) {
    const request = { method: method.toUpperCase() as 'GET', url: path.replace(/\{\w+\}/g, 'x') }
    for (const headers of [{}, { authorization }]) {
      const { headers: reply, statusCode } = await app.inject({ ...request, headers })
      t.equal(reply['cache-control'], 'no-store', `${method} ${path}: ${statusCode}`)
    }
  }
  for (const url of ['/v1/no-such-path', '/no-such-path', '/v1/%'])
    t.equal((await app.inject(url)).headers['cache-control'], 'no-store', url)
})

t.test('the OpenAPI document and its page are served', async t => {
  const { app } = await build(t)
  t.match((await app.inject('/openapi.json')).json(), { openapi: '3.1.0', info: { title: 'Signalpost' } })
  t.match((await app.inject('/openapi-3.0.json')).json(), { openapi: '3.0.3', info: { title: 'Signalpost' } })
  const yaml = await app.inject('/openapi.yaml')
  t.match(yaml.headers['content-type'], /^application\/yaml/)
  t.same(parse(yaml.body), (await app.inject('/openapi.json')).json())
  for (const path of ['/', '/v1', '/v1/', '/problems'])
    t.match(await app.inject(path), { statusCode: 302, headers: { location: '/docs/' }, body: /\/docs/ }, path)
  t.match(await app.inject('/docs/'), { statusCode: 200, body: /swagger/i })
  const script = await app.inject('/docs/static/swagger-ui-bundle.js')
  t.equal(script.statusCode, 200)
})
