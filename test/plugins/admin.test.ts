// The listener for operators, and the limit of wrong secrets.
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { ManualClock } from '../helpers/clock.js'

const OPERATOR = 'the-secret-of-operators-is-32-bytes-long'
const NEXT = 'the-next-secret-of-operators-is-as-long!'
const ROOMS = 'the-secret-of-the-room-service-is-as-long'
const ROOM_SERVICE = { ROOM_SERVICE_URL: 'http://127.0.0.1:1', ROOM_SERVICE_SECRET: ROOMS }

async function build(t: Test, env: Record<string, string>) {
  const clock = new ManualClock()
  const app = await buildApp(loadConfig({ LOG_LEVEL: 'silent', ...env }), { clock })
  t.teardown(() => app.close())
  const ask = async (at: typeof app, url: string, secret?: string, remoteAddress = '192.0.2.1') => {
    const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
    return at.inject({ method: url === '/metrics' ? 'GET' : 'DELETE', url, headers, remoteAddress })
  }
  const statusOf = async (...request: Parameters<typeof ask>) => (await ask(...request)).statusCode
  return { app, clock, ask, statusOf }
}

t.test('with ADMIN_PORT, metrics and the internal routes are served on that port only', async t => {
  const { app, statusOf } = await build(t, { ADMIN_PORT: '0', ADMIN_SECRET: `${OPERATOR},${NEXT}`, ...ROOM_SERVICE })
  const { admin } = app
  if (admin === null) throw new Error('no listener for operators')
  for (const url of ['/metrics', '/internal/rooms/r1'])
    for (const secret of [undefined, OPERATOR, ROOMS]) t.equal(await statusOf(app, url, secret), 404, url)
  t.equal(await statusOf(admin, '/metrics', OPERATOR), 200)
  t.equal(await statusOf(admin, '/metrics', NEXT), 200, 'the second secret of the list')
  t.equal(await statusOf(admin, '/metrics', ROOMS), 401, 'the secret of the room service')
  t.equal(await statusOf(admin, '/metrics'), 401)
  t.equal(await statusOf(admin, '/internal/rooms/r1', ROOMS), 204)
  t.equal(await statusOf(admin, '/internal/rooms/r1', OPERATOR), 401)
  for (const at of [app, admin])
    for (const url of ['/healthz', '/readyz']) t.equal((await at.inject(url)).statusCode, 200)
  t.equal((await admin.inject('/v1/calls')).statusCode, 404, 'no routes for clients')
  t.equal((await app.inject('/openapi.json')).json().paths['/metrics'], undefined)
})

t.test('without ADMIN_PORT they are served on PORT; metrics require a secret only if ADMIN_SECRET is set', async t => {
  const open = await build(t, {})
  t.equal(open.app.admin, null)
  t.equal(await open.statusOf(open.app, '/metrics'), 200)
  t.equal(await open.statusOf(open.app, '/internal/rooms/r1', ROOMS), 404)
  const { app, statusOf } = await build(t, { ADMIN_SECRET: OPERATOR, ...ROOM_SERVICE })
  t.equal(await statusOf(app, '/metrics'), 401)
  t.equal(await statusOf(app, '/metrics', OPERATOR), 200)
  t.equal(await statusOf(app, '/internal/rooms/r1', ROOMS), 204)
})

t.test('media services push their events to the same port, with a secret of their own', async t => {
  const MEDIA = 'the-secret-of-the-media-services-is-long'
  const media = { MEDIA_SERVICE_URLS: 'http://127.0.0.1:1', MEDIA_SERVICE_SECRET: MEDIA }
  const payload = { sessionId: 's1', roomId: 'r1', seq: 1, events: [], notices: [] }
  const push = async (at: Awaited<ReturnType<typeof build>>['app'], secret: string) => {
    const headers = { authorization: `Bearer ${secret}` }
    const reply = await at.inject({ method: 'POST', url: '/internal/media/127.0.0.1:1/events', headers, payload })
    return `${reply.statusCode} ${reply.json().code}`
  }
  const { app } = await build(t, { ADMIN_PORT: '0', ...ROOM_SERVICE, ...media })
  const { admin } = app
  if (admin === null) throw new Error('no listener for operators')
  t.equal(await push(app, MEDIA), '404 not_found')
  t.equal(await push(admin, ROOMS), '401 unauthorized')
  t.equal(await push(admin, MEDIA), '404 session_not_found')
  t.equal(await push((await build(t, media)).app, MEDIA), '404 session_not_found', 'without ADMIN_PORT')
  t.equal(await push((await build(t, ROOM_SERVICE)).app, MEDIA), '404 not_found', 'without media services')
})

t.test('after ten wrong secrets in a minute an address is refused even with the right secret', async t => {
  const { app, clock, ask, statusOf } = await build(t, { ADMIN_SECRET: OPERATOR, ...ROOM_SERVICE })
  for (let n = 0; n < 30; n++)
    t.equal(await statusOf(app, '/metrics'), 401, 'a request without a secret is not counted')
  for (let n = 0; n < 20; n++) t.equal(await statusOf(app, '/metrics', OPERATOR), 200, 'nor is the right secret')
  for (let n = 0; n < 10; n++)
    t.equal(await statusOf(app, n % 2 ? '/metrics' : '/internal/rooms/r1', `guess-${n}`), 401)
  const refused = await ask(app, '/metrics', 'guess-11')
  t.match(refused.json(), { status: 429, code: 'rate_limited', retryable: true })
  t.equal(refused.headers['retry-after'], '60')
  t.notMatch(refused.body, 'guess-11')
  t.equal(await statusOf(app, '/metrics', OPERATOR), 429)
  t.equal(await statusOf(app, '/internal/rooms/r1', ROOMS), 429)
  t.equal(await statusOf(app, '/metrics', OPERATOR, '192.0.2.2'), 200, 'another address is not refused')
  clock.advance(60_000)
  t.equal(await statusOf(app, '/metrics', OPERATOR), 200)
})

t.test('all addresses of an IPv6 /64 share one count of wrong secrets', async t => {
  const { app, statusOf } = await build(t, { ADMIN_SECRET: OPERATOR })
  for (let n = 0; n < 10; n++) await statusOf(app, '/metrics', 'guess', `2001:db8::${n}`)
  t.equal(await statusOf(app, '/metrics', 'guess', '2001:db8::ffff:1'), 429)
  t.equal(await statusOf(app, '/metrics', 'guess', '2001:db8:0:1::1'), 401)
})

t.test('closing the main server closes the listener for operators', async t => {
  const { app } = await build(t, { ADMIN_PORT: '0' })
  const url = await app.admin?.listen({ host: '127.0.0.1', port: 0 })
  t.equal((await fetch(`${url}/metrics`)).status, 200, 'on loopback no secret is needed')
  await app.close()
  await t.rejects(fetch(`${url}/metrics`))
})
