// Tokens that the server signs for devices, beside those of the operator: each is verified with its own key and algorithm only.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken, DEVELOPMENT_SECRET } from '../../src/development.js'
import { createSigningKeys } from '../../src/services/credentials/signing-keys.js'
import { ManualClock } from '../helpers/clock.js'

const SECRET = 'a-secret-of-more-than-thirty-two-bytes'
/** The private keys of RFC 8032, section 7.1: tests 1 and 2. */
const [ONE, TWO] = ['nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'TM0Im5s0D9ai83u0_2zVumEAYWvUVQy5Tpbkj7hMrvs']
const CAMERA = { user: 'home', device: 'camera' }

async function server(t: Test, env: Record<string, string>) {
  const clock = new ManualClock(Date.now())
  const config = loadConfig({ LOG_LEVEL: 'silent', ...env })
  const app = await buildApp(config, { clock })
  t.teardown(() => app.close())
  const who = async (token: string) => {
    const { statusCode, body } = await app.inject({ url: '/v1/calls', headers: { authorization: `Bearer ${token}` } })
    return statusCode === 200 ? 'accepted' : JSON.parse(body).code
  }
  const published = async () => {
    const reply = await app.inject('/.well-known/jwks.json')
    return { headers: reply.headers, keys: reply.json().keys as JWK[] }
  }
  return { app, clock, config, keys: createSigningKeys(config), who, published }
}

/** The same server with other settings. */
const MODES: readonly [name: string, env: () => Promise<{ env: Record<string, string>; close?: () => void }>][] = [
  [
    'a shared secret',
    async () => ({ env: { JWT_SECRET: SECRET, JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'x' } })
  ],
  ['a key set', () => provider([])],
  ['development', async () => ({ env: {} })]
]

async function provider(keys: readonly JWK[]) {
  const http = createServer((_request, reply) => reply.end(JSON.stringify({ keys }))).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  return { env: { JWKS_URL: `http://127.0.0.1:${port}/`, JWT_USER_CLAIM: 'name' }, close: () => void http.close() }
}

for (const [mode, open] of MODES)
  t.test(`a token of the server is accepted beside those of ${mode}, until its time is over`, async t => {
    const { env, close } = await open()
    t.teardown(() => close?.())
    const { clock, keys, who } = await server(t, { ...env, SIGNING_KEYS: ONE, DEVICE_TOKEN_TTL_MS: '60000' })
    const token = await keys.sign(CAMERA, clock.now())
    t.equal(await who(token), 'accepted')
    t.equal(await who(token), 'accepted', 'from the cache')
    clock.skip(59_000)
    t.equal(await who(token), 'accepted')
    clock.skip(1_000)
    t.equal(await who(token), 'token_expired', 'without the leeway of other issuers')
  })

t.test('the key set has the public keys, the one that signs first', async t => {
  const { clock, keys, published } = await server(t, { SIGNING_KEYS: `${ONE},${TWO}`, JWT_SECRET: SECRET })
  const { headers, keys: found } = await published()
  t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'public, max-age=300' })
  // The public key and the thumbprint of RFC 8037, appendix A.
  const [first] = found
  t.match(first, {
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
  })
  for (const jwk of found) t.equal(await calculateJwkThumbprint(jwk), jwk.kid)
  t.notOk(JSON.stringify(found).includes('"d"'), 'no private part')
  const { payload, protectedHeader } = await jwtVerify(
    await keys.sign(CAMERA, clock.now()),
    await importJWK(first as JWK, 'EdDSA')
  )
  t.match(protectedHeader, { alg: 'EdDSA', kid: first?.kid })
  t.match(payload, { iss: 'signalpost', sub: 'home', device: 'camera', iat: (clock.now() - 500) / 1000 })
})

t.test('without SIGNING_KEYS the key set is empty, and development has a key', async t => {
  const none = await server(t, { JWT_SECRET: SECRET })
  t.strictSame((await none.published()).keys, [])
  await t.rejects(none.keys.sign(CAMERA, 0), { code: 'no_device_credentials' })
  const development = await server(t, {})
  t.equal((await development.published()).keys.length, 1)
  t.equal(
    await none.who(await development.keys.sign(CAMERA, none.clock.now())),
    'unauthorized',
    'which is accepted nowhere else'
  )
})

t.test('keys rotate: published, then first, then the old one is removed', async t => {
  const at = (signingKeys: string) => server(t, { SIGNING_KEYS: signingKeys, JWT_SECRET: SECRET })
  const [before, added, signing, removed] = await Promise.all([ONE, `${ONE},${TWO}`, `${TWO},${ONE}`, TWO].map(at))
  const tokens = await Promise.all([before, signing].map(node => node?.keys.sign(CAMERA, node.clock.now())))
  const [old = '', young = ''] = tokens
  // While nodes restart with the next setting, those of two settings next to each other serve at once.
  t.strictSame(await Promise.all([before, added, signing].map(node => node?.who(old))), Array(3).fill('accepted'))
  t.strictSame(await Promise.all([added, signing, removed].map(node => node?.who(young))), Array(3).fill('accepted'))
  t.equal(await removed?.who(old), 'unauthorized')
  const published = await Promise.all([before, added, signing, removed].map(node => node?.published()))
  const counts = published.map(set => set?.keys.length)
  t.strictSame(counts, [1, 2, 2, 1])
  t.strictSame(published[3]?.keys, published[2]?.keys.slice(0, 1), 'the removed key is not published')
  t.equal(await before?.who(young), 'unauthorized')
})

t.test('no key and no algorithm passes for another', async t => {
  const idp = await generateKeyPair('EdDSA', { extractable: true })
  const idpJwk = { ...(await exportJWK(idp.publicKey)), kid: 'idp', alg: 'EdDSA' }
  const { env, close } = await provider([idpJwk])
  t.teardown(close)
  const withKeySet = await server(t, { ...env, SIGNING_KEYS: ONE })
  const withSecret = await server(t, { JWT_SECRET: SECRET, SIGNING_KEYS: ONE, PUBLIC_URL: 'https://calls.example' })
  const [own] = (await withSecret.published()).keys as [JWK & { kid: string; x: string }]
  const now = Math.floor(withSecret.clock.now() / 1000)
  const claims = { iss: 'signalpost', sub: 'home', name: 'home', device: 'camera', exp: now + 600 }
  const seed = { kty: 'OKP', crv: 'Ed25519', x: own.x, d: ONE }
  const ownPrivate = await importJWK(seed, 'EdDSA')
  const signed = (header: Record<string, string>, key: Parameters<SignJWT['sign']>[0], more = {}) =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'EdDSA', ...header }).sign(key)
  const bytes = (text: string) => new TextEncoder().encode(text)
  const kid = own.kid
  const unsigned = [{ alg: 'none', kid }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
  const forged: readonly [string, string][] = [
    ['HS256 with the public key as secret', await signed({ alg: 'HS256', kid }, Buffer.from(own.x, 'base64url'))],
    ['HS256 with its text as secret', await signed({ alg: 'HS256', kid }, bytes(own.x))],
    [
      "HS256 with the operator's secret and the key id of the server",
      await signed({ alg: 'HS256', kid }, bytes(SECRET))
    ],
    ["the provider's key under the key id of the server", await signed({ kid }, idp.privateKey)],
    ["the server's key under the key id of the provider", await signed({ kid: 'idp' }, ownPrivate)],
    ["the server's key without a key id", await signed({}, ownPrivate)],
    ['another issuer', await signed({ kid }, ownPrivate, { iss: 'https://other.example' })],
    ['no issuer', await signed({ kid }, ownPrivate, { iss: undefined })],
    ['no exp', await signed({ kid }, ownPrivate, { exp: undefined, iss: 'https://calls.example' })],
    ['alg none', `${unsigned.join('.')}.`],
    ['a critical extension', withCritical(kid, await signed({ kid }, ownPrivate))]
  ]
  for (const [name, token] of forged) {
    t.equal(await withSecret.who(token), 'unauthorized', name)
    t.not(await withKeySet.who(token), 'accepted', name)
  }
  t.equal(await withKeySet.who(await signed({ kid: 'idp' }, idp.privateKey)), 'accepted', 'the provider itself')
  t.equal(await withSecret.who(await signed({ kid }, ownPrivate, { iss: 'https://calls.example' })), 'accepted')
  t.equal(await withSecret.who(await createToken(withKeySet.config, { user: 'a' })), 'unauthorized', DEVELOPMENT_SECRET)
})

function withCritical(kid: string, token: string): string {
  const [, payload, signature] = token.split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid, crit: ['b64'], b64: false }))
  return `${header.toString('base64url')}.${payload}.${signature}`
}

t.test('a claim of the operator has no meaning in a token of the server', async t => {
  const env = { JWT_SECRET: SECRET, JWT_USER_CLAIM: 'device', JWT_DEVICE_CLAIM: 'sub', SIGNING_KEYS: ONE }
  const { app, clock, keys } = await server(t, env)
  const authorization = `Bearer ${await keys.sign(CAMERA, clock.now())}`
  const as = (device: string) =>
    app.inject({ method: 'PUT', url: '/v1/presence', headers: { authorization, 'x-device-id': device }, payload: {} })
  t.equal((await as('camera')).statusCode, 200)
  t.match((await as('home')).json(), { code: 'invalid_subject' })
})
