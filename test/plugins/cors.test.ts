// CORS: which pages may use the API, and that they can read every reply, refusals of whatever kind included.
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { originMatcher } from '../../src/plugins/origins.js'
import { startServers, tokenOf } from '../helpers/servers.js'

const PAGE = 'https://app.example.com'

async function start(t: Test, corsOrigins: string) {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' }, { CORS_ORIGINS: corsOrigins })
  const authorization = `Bearer ${await tokenOf('alice')}`

  async function ask(path: string, { method = 'GET', origin = PAGE, headers = {} as Record<string, string> } = {}) {
    const reply = await fetch(url + path, { method, headers: { origin, ...headers } })
    const isStream = reply.headers.get('content-type')?.startsWith('text/event-stream')
    if (isStream) await reply.body?.cancel()
    const text = isStream ? '' : await reply.text()
    return { status: reply.status, headers: Object.fromEntries(reply.headers), text }
  }

  /** Sends bytes that fetch would not, and resolves to the reply. */
  async function send(bytes: string): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const pieces: Buffer[] = []
    socket.on('data', piece => pieces.push(piece)).write(bytes, 'latin1')
    await once(socket, 'close')
    return Buffer.concat(pieces).toString()
  }
  return { ask, send, authorization }
}

const READABLE_WITHOUT_VARY = { 'access-control-allow-origin': PAGE, 'access-control-allow-credentials': 'true' }
const READABLE = { ...READABLE_WITHOUT_VARY, vary: 'Origin' }

t.test('every reply has the headers: results, refusals, malformed paths and plain OPTIONS', async t => {
  const { ask, send, authorization } = await start(t, PAGE)
  const headers = { authorization }
  const cases: [status: number, code: string | null, Awaited<ReturnType<typeof ask>>][] = [
    [200, null, await ask('/healthz')],
    [200, null, await ask('/v1/calls', { headers })],
    [200, null, await ask('/v1/events', { headers })],
    [200, null, await ask('/openapi.json')],
    [200, null, await ask('/docs/static/index.html')],
    [401, 'unauthorized', await ask('/v1/calls')],
    [404, 'call_not_found', await ask('/v1/calls/none', { headers })],
    [404, 'not_found', await ask('/nothing')],
    [405, 'method_not_allowed', await ask('/v1/calls/c1', { method: 'DELETE' })],
    [400, 'invalid_request', await ask('/v1/calls/%zz')],
    [400, 'invalid_request', await ask('/v1/calls/%zz', { method: 'OPTIONS' })],
    [405, 'method_not_allowed', await ask('/v1/calls', { method: 'OPTIONS' })],
    [404, 'not_found', await ask('/nothing', { method: 'OPTIONS' })]
  ]
  for (const [status, code, reply] of cases) {
    t.equal(reply.status, status, `${status} ${code}`)
    t.match(reply.headers, { ...READABLE, 'x-content-type-options': 'nosniff' }, `${status} ${code}`)
    if (code === null) continue
    t.match(reply.headers['content-type'], 'application/problem+json')
    t.match(JSON.parse(reply.text), { status, code, instance: /^\// })
  }
  t.equal((await ask('/v1/calls', { method: 'OPTIONS' })).headers.allow, 'GET, POST')
  const tooLong = await send(`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${PAGE}\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`)
  t.match(tooLong, /^HTTP\/1.1 400 /)
  t.match(tooLong, 'headers together are larger than 16384 bytes')
  t.match(tooLong, `access-control-allow-origin: ${PAGE}\r\n`)
  t.match(
    await send(`GET / HTTP/1.1\r\nOrigin: ${PAGE}\r\nConnection: close\r\n\r\n`),
    `access-control-allow-origin: ${PAGE}`
  )
})

t.test('a preflight is answered on every path, to listed origins only', async t => {
  const { ask } = await start(t, PAGE)
  const headers = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, x-device-id'
  }
  for (const path of ['/v1/calls', '/v1/calls/%zz', '/nothing']) {
    const { status, headers: reply } = await ask(path, { method: 'OPTIONS', headers })
    t.equal(status, 204)
    t.match(reply, {
      ...READABLE,
      vary: 'Origin, Access-Control-Request-Headers',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'authorization, x-device-id'
    })
  }
  const { headers: reply } = await ask('/v1/calls', { method: 'OPTIONS', origin: 'https://evil.example', headers })
  t.same(
    Object.keys(reply).filter(name => name.startsWith('access-control')),
    []
  )
  t.equal(reply.vary, 'Origin')
})

t.test('a page learns what a WHIP endpoint takes, and reads where its session is', async t => {
  const { ask } = await start(t, PAGE)
  const path = '/v1/rooms/stage/whip'
  const preflight = await ask(path, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } })
  t.equal(preflight.status, 204)
  t.match(preflight.headers, { ...READABLE_WITHOUT_VARY, 'accept-post': 'application/sdp' })
  const { status, headers } = await ask(path, { method: 'OPTIONS' })
  t.equal(status, 200)
  t.match(headers, { ...READABLE, 'accept-post': 'application/sdp' })
  for (const name of ['Location', 'ETag', 'Link']) t.match(headers['access-control-expose-headers'], name)
})

t.test('`*` allows every page, without credentials', async t => {
  const { ask, send } = await start(t, '*')
  const { headers } = await ask('/v1/calls')
  t.match(headers, { 'access-control-allow-origin': '*' })
  t.equal(headers['access-control-allow-credentials'], undefined)
  t.match(await send('no HTTP\r\n\r\n'), 'access-control-allow-origin: *\r\n')
})

t.test('without CORS_ORIGINS no page is allowed, and plain OPTIONS is a problem all the same', async t => {
  const { ask } = await start(t, '')
  const { status, headers, text } = await ask('/v1/calls', { method: 'OPTIONS' })
  t.equal(headers['access-control-allow-origin'], undefined)
  t.match({ status, ...JSON.parse(text) }, { status: 405, code: 'method_not_allowed' })
})

t.test('apps and subdomains are allowed', async t => {
  const { ask } = await start(t, 'capacitor://localhost,https://*.example.com')
  for (const origin of ['capacitor://localhost', 'https://a.example.com', 'https://a.b.example.com']) {
    t.match((await ask('/healthz', { origin })).headers, { 'access-control-allow-origin': origin }, origin)
  }
})

t.test('an origin matches one that is listed, or is a subdomain of one', async t => {
  const isListed = originMatcher(['*', 'https://app.example', 'https://*.example.com:8443', 'http://*.localhost'])
  const listed = [
    'https://app.example',
    'https://a.example.com:8443',
    'https://a-1.b_2.example.com:8443',
    'http://x.localhost'
  ]
  for (const origin of listed) t.ok(isListed(origin), origin)
  const others = [
    '*',
    'null',
    '',
    'http://app.example',
    'https://app.example:444',
    'https://x.app.example',
    'https://example.com:8443',
    'https://.example.com:8443',
    'https://a.example.com',
    'https://evilexample.com:8443',
    'https://evil.com/.example.com:8443',
    'https://evil.com?.example.com:8443',
    'https://evil.com@a.example.com:8443',
    'https://a..example.com:8443',
    'http://a.example.com:8443',
    'https://*.example.com:8443'
  ]
  for (const origin of others) t.notOk(isListed(origin), origin)
})
