import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import Fastify, { type FastifyBaseLogger, type InjectOptions } from 'fastify'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { createToken, DEVELOPMENT_SECRET } from '../../src/development.js'
import { createIds } from '../../src/ids.js'
import { createMetrics } from '../../src/metrics.js'
import { authenticate } from '../../src/plugins/auth.js'
import { handleErrors } from '../../src/plugins/errors.js'
import { serverOptions } from '../../src/plugins/server-options.js'
import { createTokens } from '../../src/plugins/tokens.js'
import { createAddressBudget } from '../../src/services/address-budget.js'
import type { Context } from '../../src/services/context.js'
import { issueTicket } from '../../src/services/tickets.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { ManualClock } from '../helpers/clock.js'
import { INVALID_IDS, ODD_IDS } from '../helpers/ids.js'
import { LIMITS } from '../helpers/limits.js'

const SECRET = 'a-secret-of-more-than-thirty-two-bytes'

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

async function server(t: Test, env: Record<string, string>) {
  const clock = new ManualClock(Date.now())
  const config = loadConfig({ LOG_LEVEL: 'silent', JWT_LEEWAY_MS: '0', ...env })
  const store = createMemoryStore({ ...LIMITS, clock })
  const ids = createIds()
  // The parts of a context that authenticate() and tickets use.
  const addresses = createAddressBudget({ max: 1000, windowMs: 10_000, what: 'requests' }, clock)
  const context = { config, clock, ids, store, addresses } as unknown as Context
  const app = Fastify(serverOptions(config))
  handleErrors(app, { metrics: createMetrics(), ids, clock })
  await authenticate(app, context)
  app.route({ method: ['GET', 'POST'], url: '/who', handler: async request => request.actor })
  app.get('/events', { config: { eventRoute: true } }, async request => request.actor)
  t.teardown(() => Promise.all([app.close(), store.close()]))

  const ask = async (options: InjectOptions | string) => {
    const reply = await app.inject(options)
    return { status: reply.statusCode, headers: reply.headers, ...reply.json() }
  }
  const bearer = (token: string, headers: Record<string, string> = {}) =>
    ask({ url: '/who', headers: { authorization: `Bearer ${token}`, ...headers } })

  /** A client that sends all its requests on one connection. */
  async function connection() {
    const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/who`
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    const ports = new Set<number | undefined>()
    const send = (headers: Record<string, string>) =>
      new Promise<object>((resolve, reject) => {
        const sent = request(url, { agent, headers }, reply => {
          ports.add(reply.socket.localPort)
          json(reply).then(body => resolve({ status: reply.statusCode, ...(body as object) }), reject)
        })
        sent.on('error', reject).end()
      })
    return { send, ports }
  }
  return { ask, bearer, clock, context, connection }
}

/** Valid for an hour unless `exp` is given; `exp: undefined` omits it. */
function sign(payload: JWTPayload, secret: string = SECRET): Promise<string> {
  return new SignJWT({ exp: inAnHour(), ...payload }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret))
}

t.test('with a shared secret', async t => {
  const { ask, bearer, clock } = await server(t, { JWT_SECRET: SECRET })
  const exp = Math.floor(clock.now() / 1000) + 60
  const token = await sign({ sub: 'alice', exp })

  t.test('the actor has the subject, the device and the expiry of the token', async t => {
    t.match(await bearer(token), { status: 200, user: 'alice', device: 'default', expiresAt: exp * 1000 })
    t.match(await bearer(token, { 'x-device-id': 'phone' }), { user: 'alice', device: 'phone' })
    t.match(
      await bearer(token, { 'x-device-id': 'laptop' }),
      { user: 'alice', device: 'laptop' },
      'the same token with another device'
    )
    t.match(await ask({ url: '/who', headers: { authorization: `bearer  ${token}` } }), { user: 'alice' })
  })

  t.test('the claim rooms is accepted unchanged, or the token is refused', async t => {
    const rooms = { r1: { role: 'host', grants: ['join', 'chat'] }, '*': {} }
    t.match(await bearer(await createToken(loadConfig({ JWT_SECRET: SECRET }), { user: 'alice', rooms })), {
      status: 200,
      rooms
    })
    const wrong = [
      ...['r1', ['r1'], null, 7, { r1: null }, { r1: 'host' }, { r1: [] }, { r1: { role: 'owner' } }],
      ...[
        { r1: { grants: 'join' } },
        { r1: { grants: ['fly'] } },
        { r1: { level: 1 } },
        { 'r\n1': {} },
        { ['r'.repeat(256)]: {} }
      ]
    ]
    for (const claim of wrong) {
      const reply = await bearer(await sign({ sub: 'alice', rooms: claim }))
      t.match(reply, { status: 403, code: 'invalid_subject', detail: /rooms/ }, JSON.stringify(claim))
    }
  })

  t.test('a request without a token, or with a malformed header, is refused', async t => {
    const reply = await ask('/who')
    t.match(reply, { status: 401, code: 'unauthorized' })
    t.equal(reply.headers['www-authenticate'], 'Bearer')
    for (const authorization of ['Bearer', 'Bearer a b', `Basic ${token}`, token]) {
      t.match(await ask({ url: '/who', headers: { authorization } }), { status: 401, code: 'unauthorized' })
    }
    t.match(await ask(`/who?access_token=${token}`), { status: 401 }, 'a token in a URL is not accepted')
  })

  t.test('a token with a wrong signature is refused', async t => {
    const [head = '', body = '', signature = ''] = token.split('.')
    const forged = Buffer.from(JSON.stringify({ sub: 'bob', exp })).toString('base64url')
    const wrong = [
      await sign({ sub: 'alice' }, 'another-secret-of-more-than-32-bytes!'),
      `${head}.${forged}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      'abc',
      new UnsecuredJWT({ sub: 'alice', exp }).encode(),
      await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'HS512' }).sign(Buffer.from(SECRET.repeat(2)))
    ]
    for (const each of wrong) t.match(await bearer(each), { status: 401, code: 'unauthorized' })
    t.match(await bearer(wrong[1] ?? ''), { status: 401 }, 'also the second time')
  })

  t.test('exp and nbf are checked on every request, also for a cached token', async t => {
    const soon = await sign({ sub: 'alice', nbf: exp - 30, exp })
    t.match(await bearer(soon), { status: 401, code: 'unauthorized' })
    clock.advance(31_000)
    t.match(await bearer(soon), { status: 200 })
    clock.advance(30_000)
    const late = await bearer(soon)
    t.match(late, { status: 401, code: 'token_expired' })
    t.match(late.headers['www-authenticate'], 'Bearer error="invalid_token"')
    t.match(await bearer(soon), { status: 401, code: 'token_expired' })
  })

  t.test('each request on a connection is authenticated by its own headers, at its own time', async t => {
    const { connection, clock } = await server(t, { JWT_SECRET: SECRET })
    const { send, ports } = await connection()
    const exp = Math.floor(clock.now() / 1000) + 60
    const authorization = `Bearer ${await sign({ sub: 'alice', exp })}`
    const bob = `Bearer ${await sign({ sub: 'bob', device: 'tv' })}`
    for (const _ of ['verified', 'cached', 'repeated']) t.match(await send({ authorization }), { user: 'alice' })
    t.match(await send({ authorization, 'x-device-id': 'phone' }), { user: 'alice', device: 'phone' })
    t.match(await send({}), { status: 401, code: 'unauthorized' })
    t.match(await send({ authorization: bob }), { user: 'bob', device: 'tv' })
    t.match(await send({ authorization: bob, 'x-device-id': 'phone' }), { status: 403, code: 'invalid_subject' })
    t.match(await send({ authorization: `${bob}x` }), { status: 401, code: 'unauthorized' })
    t.match(await send({ authorization }), { user: 'alice', device: 'default' })
    t.match(await send({ authorization }), { user: 'alice' })
    clock.advance(60_000)
    t.match(await send({ authorization }), { status: 401, code: 'token_expired' })
    t.equal(ports.size, 1)
  })

  t.test('ids of identity providers and fleets are accepted in the claims sub and device', async t => {
    for (const id of ODD_IDS) {
      t.match(await bearer(await sign({ sub: id, device: id })), { status: 200, user: id, device: id })
    }
  })

  t.test('a subject or device that is not a valid id is refused with the reason', async t => {
    const alice = await sign({ sub: 'alice' })
    for (const id of INVALID_IDS) {
      const refusal = { status: 403, code: 'invalid_subject', detail: /must be 1 to 255 bytes of UTF-8/ }
      t.match(await bearer(await sign({ sub: id })), refusal, JSON.stringify(id))
      t.match(await bearer(await sign({ sub: 'alice', device: id })), refusal)
      if (/^[!-~]*$/.test(id)) t.match(await bearer(alice, { 'x-device-id': id }), refusal)
    }
    for (const [value, kind] of [
      [42, 'a number'],
      [null, 'null'],
      [['a'], 'an array'],
      [{}, 'an object']
    ] as const) {
      const detail = `The claim sub must be a string, not ${kind}`
      t.match(await bearer(await sign({ sub: value as never })), { status: 403, code: 'invalid_subject', detail })
    }
    t.match(await bearer(await sign({})), { status: 403, detail: 'The token has no claim sub' })
  })

  t.test('the header X-Device-Id is UTF-8, percent-encoded where necessary', async t => {
    const { connection } = await server(t, { JWT_SECRET: SECRET })
    const { send } = await connection()
    const authorization = `Bearer ${token}`
    const device = (value: string) => send({ authorization, 'x-device-id': value })
    for (const id of ODD_IDS) {
      // As the name of an assertion an id could break a line of the report.
      const name = encodeURIComponent(id)
      t.match(await device(name), { status: 200, device: id }, name)
      const bytes = Buffer.from(id.replaceAll('%', '%25')).toString('latin1')
      if (id === id.trim()) t.match(await device(bytes), { status: 200, device: id }, name)
    }
    const refused = ['50%', '%', '%GG', '%FF', '%C3', '\xe9', '%ED%A0%80', '%00', '%0A', 'a%2', '.', '%2E%2E']
    for (const value of refused) t.match(await device(value), { status: 403, code: 'invalid_subject' }, value)
    const twice = { authorization, 'x-device-id': ['a', 'b'] as unknown as string }
    t.match(await send(twice), { status: 403, detail: 'The header X-Device-Id must be given once' })
    t.match(await device('a, b'), { status: 200, device: 'a, b' })
  })

  t.test('a token with the claim device is refused for another device', async t => {
    const phone = await sign({ sub: 'alice', device: 'phone' })
    t.match(await bearer(phone), { device: 'phone' })
    t.match(await bearer(phone, { 'x-device-id': 'phone' }), { device: 'phone' })
    t.match(await bearer(phone, { 'x-device-id': 'laptop' }), { status: 403, code: 'invalid_subject' })
  })
})

t.test('settings name the claims of user and device, exactly or as a path', async t => {
  const cases: readonly [name: string, claims: Record<string, unknown>, found: boolean][] = [
    ['username', { username: 'alice' }, true],
    ['https://id.example/user', { 'https://id.example/user': 'alice' }, true],
    ['user.login', { user: { login: 'alice' } }, true],
    ['user.login', { 'user.login': 'alice', user: { login: 'bob' } }, true],
    ['a.b.c', { a: { b: { c: 'alice' } } }, true],
    ['user.login', { user: 'alice' }, false],
    ['user.login', { user: null }, false],
    ['user.length', { user: 'alice' }, false],
    ['constructor.name', {}, false],
    ['__proto__.constructor', {}, false],
    ['username', { sub: 'alice' }, false]
  ]
  for (const [name, claims, isFound] of cases) {
    const { bearer } = await server(t, { JWT_SECRET: SECRET, JWT_USER_CLAIM: name })
    const expected = isFound
      ? { status: 200, user: 'alice' }
      : { status: 403, code: 'invalid_subject', detail: `The token has no claim ${name}` }
    t.match(await bearer(await sign(claims)), expected, `${name} ${JSON.stringify(claims)}`)
  }
  const env = { JWT_SECRET: SECRET, JWT_USER_CLAIM: 'user.login', JWT_DEVICE_CLAIM: 'client.id' }
  const { bearer } = await server(t, env)
  const actor = { status: 200, user: 'alice', device: 'phone' }
  t.match(await bearer(await sign({ sub: 'bob', user: { login: 'alice' }, client: { id: 'phone' } })), actor)
  t.match(await bearer(await createToken(loadConfig(env), { user: 'alice', device: 'phone' })), actor)
  t.match(await bearer(await sign({ user: { login: 7 } })), {
    detail: 'The claim user.login must be a string, not a number'
  })
})

t.test('a 401 says in the body and in WWW-Authenticate which check failed', async t => {
  const env = { JWT_SECRET: SECRET, JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'calls', JWT_LEEWAY_MS: '30000' }
  const { bearer, clock } = await server(t, env)
  const now = Math.floor(clock.now() / 1000)
  const good = { sub: 'alice', iss: 'https://id.example', aud: 'calls' }
  const cases: readonly [token: string, text: string][] = [
    [await sign({ ...good, nbf: now + 40 }), 'The claim nbf or iat is in the future: the token is not valid yet'],
    [await sign({ ...good, exp: now - 40 }), 'The claim exp is in the past'],
    [await sign({ ...good, exp: undefined as never }), 'The token has no claim exp, which is required'],
    [await sign({ ...good, iss: 'https://other' }), 'The iss claim value is not allowed.'],
    [await sign({ sub: 'alice', aud: 'calls' }), 'The iss claim is required.'],
    [await sign({ ...good, aud: 'mail' }), 'The aud claim value is not allowed.'],
    [await sign(good, `${SECRET}?`), 'The token signature is invalid.'],
    ['abc', 'The token is malformed.'],
    ['a.b.c', 'The token is malformed.'],
    [`${(await sign(good)).split('.')[0]}.eyJz.c2ln`, 'The token is malformed.']
  ]
  for (const [token, text] of cases) {
    const reply = await bearer(token)
    t.match(reply, { status: 401, detail: text })
    t.equal(reply.headers['www-authenticate'], `Bearer error="invalid_token", error_description="${text}"`)
  }
  t.match(await bearer(await sign({ ...good, nbf: now + 2 })), { status: 200 }, 'a clock two seconds behind')
})

t.test('exp is required, and a value that is not a date is refused', async t => {
  const SECOND = 1000
  const YEAR = 365.25 * 24 * 3600
  const { bearer, clock } = await server(t, { JWT_SECRET: SECRET, JWT_LEEWAY_MS: '30000' })
  const now = Math.floor(clock.now() / SECOND)
  const cases: readonly [claims: Record<string, unknown>, code: string | 200, detail?: RegExp][] = [
    [{ exp: undefined }, 'unauthorized', /no claim exp/],
    [{ exp: 0 }, 'token_expired'],
    [{ exp: 0.5 }, 'token_expired'],
    [{ exp: now - 31 }, 'token_expired'],
    [{ exp: now - 29 }, 200],
    [{ exp: now + 0.5 }, 200],
    [{ exp: now + 9.9 * YEAR }, 200],
    [{ exp: now + 10.1 * YEAR }, 'unauthorized', /claim exp must be seconds/],
    [{ exp: now * 1000 }, 'unauthorized', /claim exp must be seconds/],
    [{ exp: 1e300 }, 'unauthorized', /claim exp must be seconds/],
    [{ exp: -1 }, 'unauthorized', /claim exp must be seconds/],
    [{ exp: null }, 'unauthorized', /claim exp must be seconds/],
    [{ exp: 'soon' }, 'unauthorized'],
    [{ exp: `${now + 60}` }, 'unauthorized'],
    [{ nbf: now + 31 }, 'unauthorized', /not valid yet/],
    [{ nbf: now + 29 }, 200],
    [{ nbf: 0 }, 200],
    [{ nbf: now * 1000 }, 'unauthorized', /claim nbf must be seconds/],
    [{ nbf: -1 }, 'unauthorized', /claim nbf must be seconds/],
    [{ nbf: 'now' }, 'unauthorized'],
    [{ iat: now }, 200],
    [{ iat: now + 29 }, 200],
    [{ iat: now + 31 }, 'unauthorized', /iat is in the future/],
    [{ iat: now * 1000 }, 'unauthorized', /claim iat must be seconds/],
    [{ iat: 1e300 }, 'unauthorized', /claim iat must be seconds/],
    [{ iat: 'now' }, 'unauthorized']
  ]
  for (const [claims, code, detail] of cases) {
    const name = JSON.stringify({ ...claims, ...('exp' in claims && claims.exp === undefined ? { exp: 'none' } : {}) })
    const token = await sign({ sub: 'alice', ...claims } as JWTPayload)
    const expected = code === 200 ? { status: 200 } : { status: 401, code, ...(detail ? { detail } : {}) }
    t.match(await bearer(token), expected, name)
    t.match(await bearer(token), expected, `${name}, the second time`)
  }
})

t.test('a token is accepted until the leeway after its exp is over', async t => {
  const { bearer, clock } = await server(t, { JWT_SECRET: SECRET, JWT_LEEWAY_MS: '30000' })
  const exp = Math.floor(clock.now() / 1000) + 60
  const token = await sign({ sub: 'alice', exp })
  t.match(await bearer(token), { status: 200, expiresAt: exp * 1000 + 30_000 })
  clock.advance(exp * 1000 + 29_999 - clock.now())
  t.match(await bearer(token), { status: 200 })
  clock.advance(1)
  t.match(await bearer(token), { status: 401, code: 'token_expired' })
})

t.test('in development a token without exp is accepted', async t => {
  const { bearer } = await server(t, {})
  const token = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(DEVELOPMENT_SECRET))
  t.match(await bearer(token), { status: 200, user: 'alice', expiresAt: null })
  t.match(await bearer(await sign({ sub: 'alice', exp: 0 }, DEVELOPMENT_SECRET)), {
    status: 401,
    code: 'token_expired'
  })
})

t.test('secrets rotate: the first one signs, all of them verify', async t => {
  const [young, old, gone] = ['young', 'old', 'gone'].map(name => `${name}-secret-of-more-than-thirty-two-bytes`)
  const env = { JWT_SECRET: `${young}, ${old}` }
  const { bearer } = await server(t, env)
  t.match(await bearer(await createToken(loadConfig(env), { user: 'alice' })), { status: 200, user: 'alice' })
  t.match(await bearer(await sign({ sub: 'alice' }, young)), { status: 200 })
  t.match(await bearer(await sign({ sub: 'alice' }, old)), { status: 200 })
  t.match(await bearer(await sign({ sub: 'alice' }, gone)), { status: 401, code: 'unauthorized' })
  t.match(await bearer(await sign({ sub: 'alice' }, DEVELOPMENT_SECRET)), { status: 401, code: 'unauthorized' })
  const strict = await server(t, { ...env, JWT_AUDIENCE: 'calls' })
  t.match(
    await strict.bearer(await sign({ sub: 'alice', aud: 'mail' }, old)),
    { status: 401 },
    'the claims are checked with an older secret too'
  )
  t.match(await strict.bearer(await sign({ sub: 'alice', aud: 'calls' }, old)), { status: 200 })
})

t.test('the cookie is accepted from pages of this server and of listed origins only, with every method', async t => {
  const plain = { CORS_ORIGINS: 'https://app.example' }
  const behindProxy = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'calls.example' }
  const HTTPS = { PUBLIC_URL: 'https://calls.example/' }
  const TRUST = { TRUST_PROXY: '127.0.0.1' }
  type Case = readonly [env: Record<string, string>, headers: Record<string, string>, taken: boolean]
  const cases: readonly Case[] = [
    [{}, {}, false],
    [{}, { 'sec-fetch-site': 'same-origin' }, true],
    [{}, { 'sec-fetch-site': 'same-site' }, false],
    [{}, { 'sec-fetch-site': 'cross-site' }, false],
    [{}, { 'sec-fetch-site': 'none' }, false],
    [{}, { origin: 'http://calls.example' }, true],
    [{}, { origin: 'https://calls.example' }, false],
    [{}, { origin: 'http://calls.example:8080' }, false],
    [{}, { origin: 'http://evil.example' }, false],
    [{}, { origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }, false],
    [{}, { origin: 'null' }, false],
    [{}, { origin: '' }, false],
    [{}, { origin: 'https://calls.example', ...behindProxy }, false],
    [{}, { origin: 'http://calls.example:80', host: 'calls.example:80' }, false],
    [{}, { origin: 'http://calls.example', host: 'calls.example:80' }, true],
    [{}, { origin: 'http://calls.example', host: 'evil example' }, false],
    [TRUST, { origin: 'https://calls.example', host: 'inside:8080', ...behindProxy }, true],
    [TRUST, { origin: 'http://calls.example', host: 'inside:8080', ...behindProxy }, false],
    [TRUST, { origin: 'http://inside:8080', host: 'inside:8080', ...behindProxy }, false],
    [HTTPS, { origin: 'https://calls.example', host: 'inside:8080' }, true],
    [HTTPS, { origin: 'http://inside:8080', host: 'inside:8080' }, false],
    [
      { ...HTTPS, ...TRUST },
      { origin: 'https://evil.example', ...behindProxy, 'x-forwarded-host': 'evil.example' },
      false
    ],
    [plain, { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, true],
    [plain, { origin: 'http://app.example' }, false],
    [{ CORS_ORIGINS: 'https://*.example.com' }, { origin: 'https://a.example.com' }, true],
    [{ CORS_ORIGINS: 'https://*.example.com' }, { origin: 'https://example.com' }, false],
    [{ CORS_ORIGINS: 'capacitor://localhost' }, { origin: 'capacitor://localhost' }, true],
    [{ CORS_ORIGINS: '*' }, { origin: 'https://evil.example' }, false],
    [{ CORS_ORIGINS: '*' }, { origin: '*' }, false]
  ]
  const cookie = `theme=dark; access_token=${await sign({ sub: 'alice' })}`
  for (const [env, headers, taken] of cases) {
    const { ask } = await server(t, { JWT_SECRET: SECRET, ...env })
    for (const method of ['GET', 'POST'] as const) {
      const reply = await ask({ method, url: '/who', headers: { cookie, host: 'calls.example', ...headers } })
      const expected = taken ? { status: 200, user: 'alice' } : { status: 401, code: 'unauthorized', detail: /cookie/ }
      t.match(reply, expected, `${method} ${JSON.stringify({ ...env, ...headers })}`)
    }
  }
  const { ask } = await server(t, { JWT_SECRET: SECRET })
  t.match(await ask({ url: '/who', headers: { cookie: 'theme=dark' } }), { status: 401, detail: /token is required/ })
  const authorization = `Bearer ${await sign({ sub: 'bob' })}`
  t.match(
    await ask({ url: '/who', headers: { cookie, authorization } }),
    { user: 'bob' },
    'the header takes precedence'
  )
})

t.test('event routes accept the device and a ticket in the query', async t => {
  const { ask, context, clock } = await server(t, { JWT_SECRET: SECRET })
  const authorization = `Bearer ${await sign({ sub: 'alice' })}`
  t.match(await ask({ url: '/events?device=tv', headers: { authorization } }), { device: 'tv' })
  t.match(await ask({ url: '/events?device=a%0Ab', headers: { authorization } }), { status: 403 })
  t.match(await ask({ url: '/events?device=AA%3ABB%7C%2F%C3%A9', headers: { authorization } }), { device: 'AA:BB|/é' })
  t.match(await ask({ url: '/events?device=a&device=tv', headers: { authorization } }), { device: 'tv' })
  t.match(await ask({ url: '/who?device=tv', headers: { authorization } }), { device: 'default' })

  const { ticket } = await issueTicket(context, { user: 'alice', device: 'tv', expiresAt: clock.now() + 90_000 })
  t.match(await ask(`/events?ticket=${ticket}`), { user: 'alice', device: 'tv', expiresAt: clock.now() + 90_000 })
  t.match(await ask(`/events?ticket=${ticket}&device=tv`), { user: 'alice', device: 'tv' })
  t.match(await ask(`/events?ticket=${ticket}&device=phone`), { status: 403, code: 'invalid_subject' })
  t.match(await ask(`/events?ticket=x&ticket=${ticket}`), { user: 'alice', device: 'tv' })
  t.match(await ask(`/events?ticket=${ticket}x`), { status: 401, code: 'invalid_ticket' })
  t.match(await ask(`/who?ticket=${ticket}`), { status: 401, code: 'unauthorized' })
})

t.test('in development the public secret is accepted; issuer and audience must match the configuration', async t => {
  const { bearer } = await server(t, {})
  t.match(await bearer(await createToken(loadConfig({}), { user: 'carol', device: 'phone' })), {
    status: 200,
    user: 'carol',
    device: 'phone'
  })
  const env = { JWT_SECRET: SECRET, JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'calls' }
  const strict = await server(t, env)
  t.match(await strict.bearer(await createToken(loadConfig(env), { user: 'carol' })), { status: 200 })
  for (const claims of [
    {},
    { iss: env.JWT_ISSUER },
    { aud: 'calls' },
    { iss: 'https://id.example.evil', aud: 'calls' }
  ]) {
    t.match(await strict.bearer(await sign({ sub: 'carol', ...claims })), { status: 401, code: 'unauthorized' })
  }
  t.match(await strict.bearer(await sign({ sub: 'carol', iss: env.JWT_ISSUER, aud: ['mail', 'calls'] })), {
    status: 200
  })
})

type Alg = 'RS256' | 'ES256' | 'EdDSA'

async function createKey(alg: Alg, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  const token = (payload: JWTPayload) =>
    new SignJWT({ exp: inAnHour(), ...payload }).setProtectedHeader({ alg, kid }).sign(privateKey)
  return { jwk, token, publicKey }
}

/** An identity provider that publishes `keys`. */
async function provider(t: Test, ...keys: JWK[]) {
  const published = { keys, fetches: 0, up: true }
  const http = createServer((_request, reply) => {
    published.fetches++
    if (published.up) reply.end(JSON.stringify({ keys: published.keys }))
    else reply.writeHead(500).end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(() => {
    http.close()
    http.closeAllConnections()
  })
  return { published, env: { JWKS_URL: `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys?v=1` } }
}

t.test('with a key set', async t => {
  const [rsa, ec, ed] = await Promise.all([
    createKey('RS256', 'rsa'),
    createKey('ES256', 'ec'),
    createKey('EdDSA', 'ed')
  ])

  t.test('RS256, ES256 and EdDSA are accepted, each with its own key', async t => {
    const { env, published } = await provider(t, rsa.jwk, ec.jwk, ed.jwk)
    const { bearer } = await server(t, env)
    for (const key of [rsa, ec, ed])
      t.match(await bearer(await key.token({ sub: 'alice' })), { status: 200, user: 'alice' })
    t.equal(published.fetches, 1)
  })

  t.test('HS256 with a public key as secret, and `none`, are refused', async t => {
    const { env } = await provider(t, rsa.jwk)
    const { bearer } = await server(t, env)
    const pem = await exportSPKI(rsa.publicKey)
    const confused = new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
      .sign(Buffer.from(pem))
    t.match(await bearer(await confused), { status: 401, code: 'unauthorized' })
    t.match(await bearer(new UnsecuredJWT({ sub: 'alice' }).encode()), { status: 401, code: 'unauthorized' })
    t.match(
      await bearer(await createToken(loadConfig({}), { user: 'alice' })),
      { status: 401 },
      'the development secret is not accepted'
    )
  })

  t.test('keys rotate: an unknown key id fetches the set again, and a withdrawn key stops working', async t => {
    const [old, young] = await Promise.all([createKey('ES256', 'one'), createKey('ES256', 'two')])
    const { env, published } = await provider(t, old.jwk)
    const { bearer, connection } = await server(t, env)
    const { send } = await connection()
    const before = await old.token({ sub: 'alice' })
    const authorization = `Bearer ${before}`
    t.match(await bearer(before), { status: 200 })
    for (const _ of ['cached', 'repeated']) t.match(await send({ authorization }), { status: 200 })
    published.keys = [young.jwk]
    t.match(await bearer(await young.token({ sub: 'alice' })), { status: 200 })
    t.equal(published.fetches, 2)
    t.match(await bearer(before), { status: 401, code: 'unauthorized' }, 'as soon as the new set is there')
    t.match(await send({ authorization }), { status: 401, code: 'unauthorized' }, 'also on an open connection')
  })

  t.test('tokens of a withdrawn key are refused within a minute, on a busy node and on an idle one', async t => {
    for (const stepMs of [1_000, 59_000]) {
      const [old, young] = await Promise.all([createKey('ES256', 'one'), createKey('ES256', 'two')])
      const { env, published } = await provider(t, old.jwk)
      const { bearer, clock } = await server(t, env)
      const token = await old.token({ sub: 'alice' })
      for (let i = 0; i < 40; i++) {
        t.match(await bearer(token), { status: 200 })
        clock.advance(1_000)
      }
      t.ok(published.fetches <= 2, `${published.fetches} fetches in 40 s`)
      published.keys = [young.jwk]
      for (let waited = 0; waited < 59_000; waited += stepMs) {
        clock.advance(stepMs)
        await bearer(token)
      }
      t.match(await bearer(token), { status: 401, code: 'unauthorized' }, `asked every ${stepMs} ms`)
    }
  })

  t.test('tokens with made-up key ids cause only a few fetches', async t => {
    const { env, published } = await provider(t, ec.jwk)
    const { bearer, clock } = await server(t, env)
    const token = await ec.token({ sub: 'alice' })
    const payload = token.split('.').slice(1).join('.')
    const made = (i: number) =>
      `${Buffer.from(JSON.stringify({ alg: 'ES256', kid: `made-up-${i}` })).toString('base64url')}.${payload}`
    for (let i = 0; i < 30; i++) t.match(await bearer(made(i)), { status: 401, code: 'unauthorized' })
    t.ok(published.fetches <= 6, `${published.fetches} fetches`)
    t.match(await bearer(token), { status: 200 }, 'tokens with known keys are accepted meanwhile')
    clock.advance(2000)
    await bearer(made(31))
    t.ok(published.fetches <= 7)
  })

  t.test(
    'while the provider fails, tokens get keys_unavailable before the first fetch, and the old keys verify after it',
    async t => {
      const { env, published } = await provider(t, ec.jwk)
      const { bearer, clock } = await server(t, env)
      published.up = false
      t.match(await bearer(await ec.token({ sub: 'alice' })), { status: 503, code: 'keys_unavailable' })
      published.up = true
      t.match(await bearer(await ec.token({ sub: 'alice' })), { status: 200 })
      published.up = false
      clock.advance(700_000)
      t.match(await bearer(await ec.token({ sub: 'alice', jti: 'another' })), { status: 200 })
    }
  )

  t.test('a key set without JWT_AUDIENCE, and a failed fetch, are logged as warnings', async t => {
    const logOf = async (env: Record<string, string>) => {
      const lines: string[] = []
      const loggerInstance: FastifyBaseLogger = pino({ level: 'warn' }, { write: line => lines.push(line) })
      const app = Fastify({ ...serverOptions(loadConfig(env)), loggerInstance })
      t.teardown(() => app.close())
      const tokens = await createTokens(app, loadConfig(env), new ManualClock())
      await tokens.verify(await ec.token({ sub: 'alice' })).catch(() => undefined)
      return lines.join('')
    }
    const { env, published } = await provider(t, ec.jwk)
    t.match(await logOf(env), /JWT_AUDIENCE is not/)
    t.equal(await logOf({ ...env, JWT_AUDIENCE: 'calls' }), '')
    t.equal(await logOf({ JWT_SECRET: SECRET }), '')
    published.up = false
    const failure = await logOf({ ...env, JWT_AUDIENCE: 'calls' })
    t.match(failure, /the key set could not be fetched/)
    t.notMatch(failure, 'keys?v=1', 'its URL may contain a secret')
  })

  t.test('issuer and audience are checked', async t => {
    const { env } = await provider(t, ec.jwk)
    const { bearer } = await server(t, { ...env, JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'calls' })
    t.match(await bearer(await ec.token({ sub: 'alice' })), { status: 401 })
    t.match(await bearer(await ec.token({ sub: 'alice', iss: 'https://id.example', aud: 'mail' })), { status: 401 })
    t.match(await bearer(await ec.token({ sub: 'alice', iss: 'https://id.example', aud: 'calls' })), { status: 200 })
  })
})
