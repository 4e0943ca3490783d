// ADMIN_ROLE: which tokens of the identity provider have access to the admin API, beside ADMIN_SECRET and instead of it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { type ConfigError, loadConfig } from '../../src/config.js'
import { DEVELOPMENT_SECRET } from '../../src/development.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'

const JWT_SECRET = 'the-secret-of-the-tokens-is-32-bytes-long'
const OPERATOR = 'the-secret-of-operators-is-32-bytes-long'
const WITH_ROLE = { JWT_SECRET, ADMIN_PORT: '0', ADMIN_ROLE: 'sp-admin', JWT_LEEWAY_MS: '0' }

async function build(t: Test, env: Record<string, string> = {}) {
  const clock = new ManualClock()
  const store = createMemoryStore({ ...LIMITS, clock })
  const app = await buildApp(loadConfig({ LOG_LEVEL: 'silent', ...WITH_ROLE, ...env }), { clock, store })
  t.teardown(async () => {
    await app.close()
    await store.close()
  })
  const now = () => Math.floor(clock.now() / 1000)
  const sign = (claims: object, secret = JWT_SECRET) =>
    new SignJWT({ sub: 'ops', iat: now(), exp: now() + 3600, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret))
  const ask = async (token: string, url = '/v1/admin/webhooks') => {
    const headers = { authorization: `Bearer ${token}` }
    const reply = await app.admin?.inject({ url, headers, remoteAddress: '192.0.2.7' })
    if (reply === undefined) throw new Error('no listener for operators')
    return reply.statusCode < 300 ? '200' : `${reply.statusCode} ${reply.json().code}`
  }
  return { app, store, clock, now, sign, ask }
}

t.test('a token has access if its claim is the role, or an array that has it', async t => {
  const cases: readonly [claim: string, claims: object, allowed: boolean][] = [
    ['roles', { roles: 'sp-admin' }, true],
    ['roles', { roles: ['user', 'sp-admin'] }, true],
    ['roles', { roles: [] }, false],
    ['roles', {}, false],
    ['roles', { roles: 'sp-admin user' }, false],
    ['roles', { roles: 'SP-ADMIN' }, false],
    ['roles', { roles: [['sp-admin']] }, false],
    ['roles', { roles: { 'sp-admin': true } }, false],
    ['roles', { roles: true }, false],
    ['roles', { role: 'sp-admin' }, false],
    ['realm_access.roles', { realm_access: { roles: ['sp-admin'] } }, true],
    ['realm_access.roles', { roles: ['sp-admin'] }, false],
    ['https://id.example/roles', { 'https://id.example/roles': ['sp-admin'] }, true],
    ['roles.length', { roles: ['x'] }, false],
    ['__proto__', { roles: 'sp-admin' }, false]
  ]
  for (const [claim, claims, isAllowed] of cases) {
    const { sign, ask } = await build(t, { ADMIN_ROLE_CLAIM: claim })
    const expected = isAllowed ? '200' : '401 unauthorized'
    t.equal(await ask(await sign(claims)), expected, `${claim} ${JSON.stringify(claims)}`)
  }
})

t.test('a token of a device, of someone else, or that is not valid has no access', async t => {
  const roles = 'sp-admin'
  const cases: readonly [what: string, claims: object, secret?: string][] = [
    ['of a device', { roles, device: 'phone' }],
    ['of another issuer', { roles }, 'another-secret-of-more-than-32-bytes-long'],
    ['signed with the secret of development', { roles }, DEVELOPMENT_SECRET],
    ['without a user', { roles, sub: undefined }],
    ['with an invalid user', { roles, sub: '..' }],
    ['without exp', { roles, exp: undefined }],
    ['not valid yet', { roles, nbf: 9_000_000_000 }]
  ]
  for (const [what, claims, secret] of cases) {
    const { sign, ask } = await build(t)
    t.equal(await ask(await sign(claims, secret)), '401 unauthorized', what)
  }
  const { app, sign, ask } = await build(t)
  for (const text of ['', 'x', 'a.b.c', `${await sign({ roles })}x`]) t.equal(await ask(text), '401 unauthorized', text)
  const authorization = `Bearer ${await sign({ roles })}`
  for (const headers of [
    { cookie: `access_token=${await sign({ roles })}` },
    { authorization: authorization.slice(7) }
  ])
    t.match((await app.admin?.inject({ url: '/v1/admin/webhooks', headers }))?.json(), { status: 401 })
})

t.test('with a key set, a token has access if one of its keys signed it', async t => {
  const [own, other] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
  const keys = [{ ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256' }]
  const http = createServer((_request, reply) => reply.end(JSON.stringify({ keys }))).listen(0, '127.0.0.1')
  t.teardown(() => http.close())
  await once(http, 'listening')
  const JWKS_URL = `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`
  const { app, now, sign, ask } = await build(t, { JWT_SECRET: '', JWKS_URL })
  const signWith = ({ privateKey }: typeof own, claims: object) =>
    new SignJWT({ sub: 'ops', exp: now() + 3600, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(privateKey)
  const token = await signWith(own, { roles: ['sp-admin'] })
  t.equal(await ask(token), '200')
  t.equal(await ask(await signWith(own, { roles: ['user'] })), '401 unauthorized')
  t.equal(await ask(await signWith(other, { roles: ['sp-admin'] })), '401 unauthorized')
  t.equal(await ask(await sign({ roles: 'sp-admin' })), '401 unauthorized', 'signed with a secret')
  t.equal((await app.admin?.inject('/v1/admin/webhooks'))?.statusCode, 401)
})

t.test('an operator whose tokens were revoked has no access until a new token is issued', async t => {
  const { app, store, clock, sign, ask } = await build(t)
  const token = await sign({ roles: 'sp-admin' })
  t.equal(await ask(token), '200', 'it is cached')
  const revocation = { user: 'ops', device: null, kind: 'sign_out' as const, issuedAfter: clock.now(), at: clock.now() }
  await store.revocations.put({ ...revocation, expiresAt: clock.now() + 60_000 }, { max: 9 })
  t.equal(await ask(token), '401 token_revoked')
  clock.skip(1_000)
  t.equal(await ask(await sign({ roles: 'sp-admin' })), '200')
  clock.advance(5_000)
  const headers = { authorization: `Bearer ${await sign({ roles: 'sp-admin' })}` }
  t.match((await app.admin?.inject({ url: '/metrics', headers }))?.body, /^signalpost_revocations 1$/m)
})

t.test('with a role, the secret works as before, and metrics take either', async t => {
  const both = await build(t, { ADMIN_SECRET: OPERATOR })
  const roleOnly = await build(t)
  const token = await roleOnly.sign({ roles: 'sp-admin' })
  for (const url of ['/v1/admin/webhooks', '/v1/admin/openapi.json', '/metrics']) {
    t.equal(await both.ask(OPERATOR, url), '200')
    t.equal(await both.ask(token, url), '200')
    t.equal(await roleOnly.ask(token, url), '200')
    t.equal(await roleOnly.ask(OPERATOR, url), '401 unauthorized')
    t.equal((await roleOnly.app.admin?.inject(url))?.statusCode, 401, 'without any')
  }
  t.equal(
    (await roleOnly.app.inject({ url: '/v1/admin/webhooks', headers: { authorization: `Bearer ${token}` } }))
      .statusCode,
    404
  )
})

t.test('tokens without the role are counted as wrong secrets, and expired ones are not', async t => {
  const { now, sign, ask } = await build(t)
  const token = await sign({ roles: 'sp-admin' })
  for (let n = 0; n < 20; n++)
    t.equal(await ask(await sign({ roles: 'sp-admin', exp: now() - 10 - n })), '401 token_expired')
  t.equal(await ask(token), '200')
  for (let n = 0; n < 10; n++) t.equal(await ask(await sign({ n })), '401 unauthorized')
  t.equal(await ask(token), '429 rate_limited')
})

t.test('settings that would let everyone in, or no one, are refused', async t => {
  const mistakesOf = (env: Record<string, string>): string => {
    try {
      loadConfig(env)
      return ''
    } catch (error) {
      return (error as ConfigError).mistakes.join()
    }
  }
  t.equal(mistakesOf({ ...WITH_ROLE, ADMIN_HOST: '0.0.0.0' }), '')
  t.match(mistakesOf({ ...WITH_ROLE, ADMIN_HOST: '0.0.0.0', ADMIN_ROLE: '' }), /^ADMIN_HOST must be a loopback/)
  t.match(mistakesOf({ ...WITH_ROLE, ADMIN_PORT: '' }), /^ADMIN_ROLE requires ADMIN_PORT$/)
  t.match(mistakesOf({ ...WITH_ROLE, JWT_SECRET: '' }), /^ADMIN_ROLE requires JWKS_URL or JWT_SECRET$/)
})
