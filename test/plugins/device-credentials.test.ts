// The routes by which devices get their tokens, and those of operators: what is refused, and that a refusal tells nothing.
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { TestDeviceKey } from '../helpers/device-key.js'
import { LIMITS } from '../helpers/limits.js'

const ENV = {
  LOG_LEVEL: 'silent',
  JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes',
  ADMIN_PORT: '0',
  ADMIN_SECRET: 'the-secret-of-operators-is-32-bytes-long',
  SIGNING_KEYS: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
}
const CAMERA = { user: 'home|1', device: 'AA:BB/1' }
const PATH = `/v1/admin/users/${encodeURIComponent(CAMERA.user)}/devices/${encodeURIComponent(CAMERA.device)}`

interface Options {
  readonly env?: Record<string, string>
  readonly store?: (store: Store) => Store
}

async function server(t: Test, { env = {}, store: change = same => same }: Options = {}) {
  const clock = new ManualClock(Date.now())
  const config = loadConfig({ ...ENV, ...env })
  const memory = createMemoryStore({ ...LIMITS, clock })
  const app = await buildApp(config, { clock, store: change(memory) })
  t.teardown(() => Promise.all([app.close(), memory.close()]))
  const replyOf = async (request: Promise<{ statusCode: number; body: string }> | undefined) => {
    const { statusCode, body } = (await request) ?? { statusCode: 0, body: '' }
    return { status: statusCode, ...(body === '' ? {} : JSON.parse(body)) }
  }
  const device = (path: string, payload?: object, more: InjectOptions = {}) =>
    replyOf(app.inject({ method: 'POST', url: `/v1/device/${path}`, ...(payload ? { payload } : {}), ...more }))
  const admin = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: object) => {
    const headers = { authorization: `Bearer ${ENV.ADMIN_SECRET}` }
    const url = path.startsWith('/v1') ? path : `${PATH}${path}`
    return replyOf(app.admin?.inject({ method, url, headers, ...(payload ? { payload } : {}) }))
  }
  const nonce = async () => (await device('nonce')).nonce as string
  const login = async (key: TestDeviceKey, owner = CAMERA) => device('token', key.tokenRequest(owner, await nonce()))
  const setKey = (token: string, payload: object) =>
    replyOf(
      app.inject({ method: 'PUT', url: '/v1/device/key', headers: { authorization: `Bearer ${token}` }, payload })
    )
  const whoAmI = (token: string) =>
    replyOf(app.inject({ url: '/v1/snapshot', headers: { authorization: `Bearer ${token}` } }))
  return { kept: () => memory.kept(), app, clock, config, device, admin, nonce, login, setKey, whoAmI }
}

t.test('a device enrolls with a code, signs a nonce, and has a token', async t => {
  const { admin, device, login, whoAmI } = await server(t)
  const key = new TestDeviceKey()
  const { status, code, expiresInMs } = await admin('POST', '/enrollment-codes')
  t.strictSame([status, expiresInMs], [201, 600_000])
  t.match(await admin('GET', '/credential'), { publicKey: null, keys: 0, codeExpiresInMs: 600_000 })
  t.match(await login(key), { status: 401, code: 'invalid_credential' }, 'not yet')
  const typed = code.toLowerCase().replaceAll('-', ' ')
  t.strictSame(await device('enroll', key.enrollment(typed)), { status: 200, ...CAMERA })
  t.strictSame(await device('enroll', key.enrollment(code)), { status: 200, ...CAMERA }, 'a repeat')
  t.match(await admin('GET', '/credential'), { publicKey: key.publicKey, keys: 0, codeExpiresInMs: null })
  const { token, ...rest } = await login(key)
  t.strictSame(rest, { status: 200, expiresInMs: 3_600_000 })
  t.equal((await whoAmI(token)).status, 200)
})

t.test('of two devices that redeem one code at the same time, one is enrolled', async t => {
  const { admin, device, login } = await server(t)
  const keys = Array.from({ length: 8 }, () => new TestDeviceKey())
  const { code } = await admin('POST', '/enrollment-codes')
  const replies = await Promise.all(keys.map(key => device('enroll', key.enrollment(code))))
  t.equal(replies.filter(({ status }) => status === 200).length, 1)
  t.equal(replies.filter(each => each.code === 'invalid_enrollment_code').length, 7)
  const logins = await Promise.all(keys.map(key => login(key)))
  t.strictSame(
    logins.map(({ status }) => status),
    replies.map(({ status }) => status)
  )
})

t.test('a code is refused when it is wrong, replaced, expired, used or removed with the credential', async t => {
  const { admin, device, clock } = await server(t)
  const key = new TestDeviceKey()
  const enroll = (code: string, by = key) => device('enroll', by.enrollment(code))
  const refused = { status: 401, code: 'invalid_enrollment_code' }
  const newCode = async () => (await admin('POST', '/enrollment-codes')).code as string
  t.match(await enroll('0000-0000-0000-0000-0000-0000-0000'), refused)
  t.match(await enroll('short'), refused)
  const first = await newCode()
  const second = await newCode()
  t.match(await enroll(first), refused, 'replaced')
  clock.skip(600_000)
  t.match(await enroll(second), refused, 'expired')
  const third = await newCode()
  t.match(await enroll(third), { status: 200 })
  t.match(await enroll(third, new TestDeviceKey()), refused, 'used by another key')
  await admin('DELETE', '/credential')
  t.match(await enroll(third), refused, 'after the credential was removed a repeat does not bring it back')
  const fourth = await newCode()
  await admin('PUT', '/credential', { publicKey: new TestDeviceKey().publicKey })
  t.match(await enroll(fourth), refused, 'an operator has set a key meanwhile')
  const stolen = { ...new TestDeviceKey().enrollment(await newCode()), publicKey: key.publicKey }
  t.match(await device('enroll', stolen), { status: 401, code: 'invalid_credential' }, 'not signed by the key')
})

t.test('a nonce is used once, for a minute, and only as the server made it', async t => {
  const { admin, device, nonce, clock } = await server(t)
  const key = new TestDeviceKey()
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const request = key.tokenRequest(CAMERA, await nonce())
  const replies = await Promise.all(Array.from({ length: 8 }, () => device('token', request)))
  t.equal(replies.filter(({ status }) => status === 200).length, 1)
  t.equal(replies.filter(({ code }) => code === 'invalid_nonce').length, 7)
  const late = key.tokenRequest(CAMERA, await nonce())
  clock.skip(60_001)
  t.match(await device('token', late), { status: 401, code: 'invalid_nonce' })
  const good = await nonce()
  const flipped = Buffer.from(good, 'base64url')
  flipped[7] = (flipped[7] ?? 0) ^ 1
  for (const wrong of [
    '',
    'x',
    `${good}=`,
    `${good}A`,
    good.slice(0, -1),
    flipped.toString('base64url'),
    Buffer.alloc(40).toString('base64url')
  ])
    t.match(await device('token', key.tokenRequest(CAMERA, wrong)), { status: 401, code: 'invalid_nonce' }, wrong)
  t.equal((await device('token', key.tokenRequest(CAMERA, good))).status, 200, 'the one that was not changed')
})

t.test('a client without the key of the device uses up neither its nonce nor its budget', async t => {
  const { admin, device, nonce } = await server(t, { env: { RATE_LIMIT_ADDRESS: '1000' } })
  const [key, other] = [new TestDeviceKey(), new TestDeviceKey()]
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const seen = await nonce()
  for (let n = 0; n < 30; n++)
    t.match(await device('token', other.tokenRequest(CAMERA, seen)), { status: 401, code: 'invalid_credential' })
  t.match(await device('token', key.tokenRequest(CAMERA, seen)), { status: 200 })
  for (let n = 1; n < 20; n++) t.match(await device('token', key.tokenRequest(CAMERA, await nonce())), { status: 200 })
  const spent = await nonce()
  t.match(await device('token', key.tokenRequest(CAMERA, spent)), { status: 429, code: 'rate_limited' })
})

t.test('a request of the device that someone repeats spends nothing of its budget', async t => {
  const { admin, device, nonce } = await server(t, { env: { RATE_LIMIT_ADDRESS: '1000' } })
  const key = new TestDeviceKey()
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const seen = key.tokenRequest(CAMERA, await nonce())
  t.equal((await device('token', seen)).status, 200)
  for (let n = 0; n < 30; n++) t.match(await device('token', seen), { status: 401, code: 'invalid_nonce' })
  for (let n = 1; n < 20; n++) t.equal((await device('token', key.tokenRequest(CAMERA, await nonce()))).status, 200)
  const unused = key.tokenRequest(CAMERA, await nonce())
  t.match(await device('token', unused), { status: 429, code: 'rate_limited' })
})

t.test('a refusal is the same for a user, device or key that does not exist, and the same work is done', async t => {
  let reads = 0
  const { admin, device, nonce } = await server(t, {
    store: store => ({
      ...store,
      deviceCredentials: {
        ...store.deviceCredentials,
        get: (owner, now) => {
          reads++
          return store.deviceCredentials.get(owner, now)
        }
      }
    })
  })
  const key = new TestDeviceKey()
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const keyed = { user: 'house', device: 'bell' }
  const { key: secret } = await admin('POST', '/v1/admin/users/house/devices/bell/keys')
  t.match(await device('token', { ...keyed, key: secret }), { status: 200 })
  const signer = new TestDeviceKey()
  const wrongKey = Buffer.alloc(32).toString('base64url')
  const attempts = [CAMERA, keyed, { ...CAMERA, device: 'none' }, { user: 'nobody', device: 'none' }]
  const texts = new Set<string>()
  for (const owner of attempts)
    for (const body of [signer.tokenRequest(owner, await nonce()), { ...owner, key: wrongKey }]) {
      const before = reads
      texts.add(JSON.stringify(await device('token', body)))
      t.equal(reads - before, 1)
    }
  t.equal(texts.size, 1, [...texts].join('\n'))
})

t.test('a token request gives nonce and signature, or key', async t => {
  const { admin, device, nonce } = await server(t)
  const key = new TestDeviceKey()
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const signed = key.tokenRequest(CAMERA, await nonce())
  const secret = Buffer.alloc(32).toString('base64url')
  for (const body of [
    CAMERA,
    { ...signed, key: secret },
    { ...CAMERA, nonce: signed.nonce },
    { ...CAMERA, signature: signed.signature },
    { ...CAMERA, nonce: signed.nonce, key: secret },
    { ...signed, signature: `${signed.signature}A` },
    { ...signed, user: '' },
    { ...signed, device: 'a\nb' },
    { ...signed, exp: 1 },
    { ...CAMERA, key: `${secret}A` },
    { ...CAMERA, key: [secret] }
  ])
    t.match(await device('token', body), { status: 400, code: 'invalid_request' }, JSON.stringify(body))
  t.match(await device('token', signed), { status: 200 })
})

t.test('a key of 256 bits is kept as a digest; the older one is valid until the newer one is used', async t => {
  const stored: string[] = []
  const { admin, device } = await server(t, {
    store: store => ({
      ...store,
      deviceCredentials: {
        ...store.deviceCredentials,
        replace: (owner, change, options) => {
          stored.push(change.next ?? '')
          return store.deviceCredentials.replace(owner, change, options)
        }
      }
    })
  })
  const newKey = async () => (await admin('POST', '/keys')).key as string
  const login = async (key: string) => (await device('token', { ...CAMERA, key })).status
  const one = await newKey()
  t.equal(await login(one), 200)
  const [two, three] = [await newKey(), await newKey()]
  t.match(one, /^[\w-]{43}$/)
  t.notOk(stored.some(text => text.includes(one)))
  t.strictSame([await login(two), await login(one), await login(one), await login(three)], [401, 200, 200, 200])
  t.equal(await login(one), 401)
  t.match(await admin('GET', '/credential'), { keys: 1, publicKey: null })
  await admin('PUT', '/credential', { publicKey: new TestDeviceKey().publicKey })
  t.equal(await login(three), 401, 'a public key takes its place')
})

t.test('a device replaces its key with the proof of both keys; its token alone does not suffice', async t => {
  const { admin, config, login, setKey } = await server(t)
  const [old, young, thief] = [new TestDeviceKey(), new TestDeviceKey(), new TestDeviceKey()]
  await admin('PUT', '/credential', { publicKey: old.publicKey })
  const { token } = await login(old)
  const body = old.replacement(CAMERA, young)
  const refused = { status: 401, code: 'invalid_credential' }
  const { currentSignature: _, ...withoutCurrent } = body
  t.match(await setKey(token, withoutCurrent), refused)
  t.match(await setKey(token, thief.replacement(CAMERA, thief)), refused, 'by a thief of the token')
  t.match(await setKey(token, { ...body, signature: body.currentSignature }), refused, 'not signed by the new key')
  t.match(await setKey(token, old.replacement({ ...CAMERA, device: 'x' }, young)), refused, 'for another device')
  t.match(await setKey(await createToken(config, { user: 'eve', device: 'AA:BB/1' }), body), refused, 'by another user')
  t.match(await login(old), { status: 200 })
  t.match(await setKey(token, body), { status: 204 })
  t.match(await setKey(token, body), { status: 204 }, 'a repeat')
  t.match(await login(old), refused)
  const fresh = await login(young)
  t.equal(fresh.status, 200)
  await admin('DELETE', '/credential')
  const late = await setKey(fresh.token, young.replacement(CAMERA, thief))
  t.match(late, { status: 401, code: 'token_revoked' }, 'after it was revoked')
})

t.test('a device with a 256-bit key can go over to a key pair', async t => {
  const { admin, device, login, setKey } = await server(t)
  const { key } = await admin('POST', '/keys')
  const { token } = await device('token', { ...CAMERA, key })
  const young = new TestDeviceKey()
  const { publicKey, signature } = young.replacement(CAMERA, young)
  const wrong = Buffer.alloc(32).toString('base64url')
  t.match(await setKey(token, { publicKey, signature, key: wrong }), { status: 401, code: 'invalid_credential' })
  t.match(await setKey(token, { publicKey, signature, key }), { status: 204 })
  t.match(await device('token', { ...CAMERA, key }), { status: 401 })
  t.match(await login(young), { status: 200 })
})

t.test('a public key that proves nothing is refused everywhere', async t => {
  const { admin, device, login, setKey } = await server(t)
  const key = new TestDeviceKey()
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const { token } = await login(key)
  const { code } = await admin('POST', '/enrollment-codes')
  const weak = Buffer.alloc(32).toString('base64url')
  const refused = { status: 400, code: 'invalid_request', issues: [{ path: 'body/publicKey' }] }
  t.match(await admin('PUT', '/credential', { publicKey: weak }), refused)
  t.match(await device('enroll', { ...key.enrollment(code), publicKey: weak }), refused)
  t.match(await setKey(token, { ...key.replacement(CAMERA, new TestDeviceKey()), publicKey: weak }), refused)
})

t.test('a credential that is not used for a year is removed, and a limit holds', async t => {
  const { admin, clock, login } = await server(t, { env: { MAX_DEVICE_CREDENTIALS: '256' } })
  const key = new TestDeviceKey()
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  t.match(await admin('POST', PATH.replace('AA', 'AB').concat('/keys')), { status: 409, code: 'too_many_credentials' })
  for (let month = 0; month < 15; month++) {
    clock.skip(30 * 86_400_000)
    t.match(await login(key), { status: 200 })
  }
  clock.skip(365 * 86_400_000)
  t.match(await login(key), { status: 401 })
  t.match(await admin('GET', '/credential'), { status: 404, code: 'credential_not_found' })
  t.match(await admin('POST', PATH.replace('AA', 'AB').concat('/keys')), { status: 201 })
})

t.test('operators list all credentials, page by page', async t => {
  const { admin } = await server(t)
  const names = Array.from({ length: 12 }, (_, n) => `user-${n}`)
  for (const name of names)
    await admin('PUT', `/v1/admin/users/${name}/devices/cam/credential`, { publicKey: new TestDeviceKey().publicKey })
  const seen: string[] = []
  let after = ''
  do {
    const page = await admin('GET', `/v1/admin/device-credentials?limit=5${after}`)
    t.ok(page.credentials.length <= 5)
    seen.push(...page.credentials.map(({ user }: { user: string }) => user))
    after = page.next === null ? '' : `&after=${page.next}`
  } while (after !== '')
  t.strictSame(seen.sort(), names.sort())
  for (const query of ['limit=0', 'limit=201', 'after=%21', 'after=abcd', 'x=1'])
    t.match(
      await admin('GET', `/v1/admin/device-credentials?${query}`),
      { status: 400, code: 'invalid_request' },
      query
    )
})

t.test('without SIGNING_KEYS there are no credentials, but they can be seen and removed', async t => {
  const { admin, device } = await server(t, { env: { SIGNING_KEYS: '' } })
  const key = new TestDeviceKey()
  const refused = { status: 409, code: 'no_device_credentials' }
  t.match(await device('nonce'), refused)
  t.match(await device('token', key.tokenRequest(CAMERA, 'x')), refused)
  t.match(await device('enroll', key.enrollment('x')), refused)
  t.match(await admin('PUT', '/credential', { publicKey: key.publicKey }), refused)
  t.match(await admin('POST', '/keys'), refused)
  t.match(await admin('POST', '/enrollment-codes'), refused)
  t.match(await admin('GET', '/credential'), { status: 404 })
  t.match(await admin('DELETE', '/credential'), { status: 204 })
})

t.test('each request without a token is charged to the address', async t => {
  const { device, clock } = await server(t, { env: { RATE_LIMIT_ADDRESS: '6' } })
  const key = new TestDeviceKey()
  const from = (remoteAddress: string) => ({ remoteAddress })
  const guess = () => device('enroll', key.enrollment('0000-0000-0000-0000-0000-0000-0000'), from('192.0.2.1'))
  for (let n = 0; n < 2; n++) {
    t.match(await device('nonce', undefined, from('192.0.2.1')), { status: 200 })
    t.match(await device('token', { ...CAMERA, key: 'A'.repeat(43) }, from('192.0.2.1')), { status: 401 })
    t.match(await guess(), { status: 401 })
  }
  t.match(await guess(), { status: 429, code: 'rate_limited' })
  t.match(await device('nonce', undefined, from('192.0.2.1')), { status: 429 })
  t.match(await device('nonce', undefined, from('192.0.2.2')), { status: 200 })
  clock.skip(10_000)
  t.match(await guess(), { status: 401 })
})

t.test('nonces that are not signed, wrong proofs and guessed codes leave nothing in the store', async t => {
  const { admin, device, nonce, kept } = await server(t, { env: { RATE_LIMIT_ADDRESS: '10000' } })
  const [key, other] = [new TestDeviceKey(), new TestDeviceKey()]
  await admin('PUT', '/credential', { publicKey: key.publicKey })
  const before = kept()
  for (let n = 0; n < 50; n++) {
    t.equal((await device('token', other.tokenRequest(CAMERA, await nonce()))).status, 401)
    t.equal((await device('token', { user: `user${n}`, device: 'x', key: 'A'.repeat(43) })).status, 401)
    t.equal((await device('enroll', key.enrollment(`${n}`.padStart(28, '0')))).status, 401)
  }
  t.strictSame(kept(), before)
})
