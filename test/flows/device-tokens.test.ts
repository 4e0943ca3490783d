// Devices with keys of their own, on each engine and over two nodes.
import t from 'tap'
import { TestDeviceKey } from '../helpers/device-key.js'
import { startRedis } from '../helpers/redis.js'
import { flow, Scenario } from '../helpers/scenario.js'
import { openSse } from '../helpers/sse.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const ADMIN_SECRET = 'the-secret-of-operators-is-32-bytes-long'
const ENV = {
  ...{ ADMIN_PORT: '0', ADMIN_SECRET, SIGNING_KEYS: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' },
  DEVICE_TOKEN_TTL_MS: '60000'
}

/** A camera of a user of this scenario, which uses either node. */
class Camera {
  readonly owner
  readonly key = new TestDeviceKey()
  readonly #scenario: Scenario

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.owner = { user: scenario.toWire('home'), device: 'AA:BB/1' }
  }

  async send(node: number, method: string, path: string, { body, token }: { body?: object; token?: string } = {}) {
    const reply = await fetch(`${this.#scenario.urlOf(node)}/v1/${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await reply.text()
    return { status: reply.status, ...(text === '' ? {} : JSON.parse(text)) }
  }

  async admin(node: number, method: 'POST' | 'GET' | 'PUT' | 'DELETE', path: string, payload?: object) {
    const { user, device } = this.owner
    const reply = await this.#scenario.cluster.adminOf(node).inject({
      method,
      url: `/v1/admin/users/${encodeURIComponent(user)}/devices/${encodeURIComponent(device)}/${path}`,
      headers: { authorization: `Bearer ${ADMIN_SECRET}` },
      ...(payload ? { payload } : {})
    })
    return reply.body === '' ? { status: reply.statusCode } : { status: reply.statusCode, ...reply.json() }
  }

  async nonce(node: number): Promise<string> {
    return (await this.send(node, 'POST', 'device/nonce')).nonce
  }

  requestToken(node: number, nonce: string) {
    return this.send(node, 'POST', 'device/token', { body: this.key.tokenRequest(this.owner, nonce) })
  }
}

flow(
  'what one node gives a device, every node accepts: code, nonce, token, and each only once',
  async (t, scenario) => {
    const { lastNode } = scenario
    const camera = new Camera(scenario)
    const { code } = await camera.admin(0, 'POST', 'enrollment-codes')
    const bodies = [camera.key, new TestDeviceKey()].map(key => key.enrollment(code))
    const redeemed = await Promise.all(
      bodies.map((body, n) => camera.send(n === 0 ? 0 : lastNode, 'POST', 'device/enroll', { body }))
    )
    t.strictSame(redeemed.map(({ status }) => status).sort(), [200, 401], 'two devices, one code, two nodes')
    await camera.admin(lastNode, 'PUT', 'credential', { publicKey: camera.key.publicKey })

    const nonce = await camera.nonce(0)
    const [one, other] = await Promise.all([camera.requestToken(0, nonce), camera.requestToken(lastNode, nonce)])
    t.strictSame([one.code ?? 'ok', other.code ?? 'ok'].sort(), ['invalid_nonce', 'ok'])
    const token = one.token ?? other.token
    for (const node of [0, lastNode]) t.equal((await camera.send(node, 'GET', 'snapshot', { token })).status, 200)
  },
  { env: ENV }
)

flow(
  'a device calls, and its next token is accepted when the one before has expired',
  async (t, scenario) => {
    const { lastNode } = scenario
    const camera = new Camera(scenario)
    await camera.admin(0, 'PUT', 'credential', { publicKey: camera.key.publicKey })
    const { token } = await camera.requestToken(0, await camera.nonce(0))
    const alice = await scenario.addClient('alice', 'phone', { node: lastNode })
    const made = await camera.send(0, 'POST', 'calls', { token, body: { to: scenario.toWire('alice') } })
    t.equal(made.status, 201)
    t.match(await alice.expectEvent('call.incoming'), { from: { user: 'home', device: 'AA:BB/1' } })
    await camera.send(lastNode, 'POST', `calls/${made.call.callId}/cancel`, { token })
    await alice.expectEvent('call.ended')

    await scenario.advance(59_000)
    const young = await camera.requestToken(lastNode, await camera.nonce(lastNode))
    t.equal((await camera.send(0, 'GET', 'snapshot', { token })).status, 200)
    await scenario.advance(1_000)
    t.match(await camera.send(0, 'GET', 'snapshot', { token }), { status: 401, code: 'token_expired' })
    t.equal((await camera.send(0, 'GET', 'snapshot', { token: young.token })).status, 200)
  },
  { env: ENV }
)

flow(
  'when its credential is removed on one node, streams, tickets and tokens of the device are dead on every node',
  async (t, scenario) => {
    const { lastNode } = scenario
    const camera = new Camera(scenario)
    const { code } = await camera.admin(0, 'POST', 'enrollment-codes')
    await camera.send(0, 'POST', 'device/enroll', { body: camera.key.enrollment(code) })
    const { token } = await camera.requestToken(0, await camera.nonce(0))
    const { ticket } = await camera.send(0, 'POST', 'events/tickets', { token })
    const headers = { authorization: `Bearer ${token}` }
    const stream = await openSse(`${scenario.urlOf(0)}/v1/events`, { headers })
    await scenario.waitForStreams(1)
    const nonces = [await camera.nonce(0), await camera.nonce(lastNode)]

    t.equal((await camera.admin(lastNode, 'DELETE', 'credential')).status, 204)
    await scenario.waitForStreams(0)
    let last = await stream.next()
    while (last.type !== 'end') last = await stream.next()
    t.match(last.data, { reason: 'signed_out', reconnect: false })
    for (const node of [0, lastNode]) {
      t.match(await camera.send(node, 'GET', 'snapshot', { token }), { status: 401, code: 'token_revoked' })
      t.equal((await camera.send(node, 'GET', `events/poll?wait=0&ticket=${ticket}`)).status, 401)
    }
    for (const [i, nonce] of nonces.entries())
      t.match(await camera.requestToken(i === 0 ? 0 : lastNode, nonce), { status: 401, code: 'invalid_credential' })
    const body = camera.key.enrollment(code)
    t.match(await camera.send(0, 'POST', 'device/enroll', { body }), { status: 401, code: 'invalid_enrollment_code' })

    await scenario.advance(501)
    const { code: next } = await camera.admin(0, 'POST', 'enrollment-codes')
    await camera.send(lastNode, 'POST', 'device/enroll', { body: camera.key.enrollment(next) })
    const again = await camera.requestToken(lastNode, await camera.nonce(0))
    t.equal((await camera.send(0, 'GET', 'snapshot', { token: again.token })).status, 200, 'enrolled anew')
    for (const node of [0, lastNode])
      t.match(
        await camera.send(node, 'GET', 'snapshot', { token }),
        { code: 'token_revoked' },
        'the old one stays dead'
      )
  },
  { env: ENV }
)

t.test('while Redis is away a device gets 503, and afterwards what it had', async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const setting = SETTINGS.find(({ engine, nodes }) => engine === 'redis' && nodes === 1)
  if (!setting) throw new Error('there is such a setting')
  const cluster = await TestCluster.open(setting, ENV, redis)
  t.teardown(() => cluster.close())
  const camera = new Camera(new Scenario(cluster))
  await camera.admin(0, 'PUT', 'credential', { publicKey: camera.key.publicKey })
  const { code } = await camera.admin(0, 'POST', 'enrollment-codes')
  const nonce = await camera.nonce(0)
  redis.pause()
  const away = { status: 503, code: 'store_unavailable' }
  t.match(await camera.requestToken(0, nonce), away)
  t.match(await camera.send(0, 'POST', 'device/enroll', { body: camera.key.enrollment(code) }), away)
  t.match(await camera.admin(0, 'DELETE', 'credential'), away)
  redis.resume()
  await until('the store is back', async () => (await camera.admin(0, 'GET', 'credential')).status === 200)
  t.equal((await camera.requestToken(0, nonce)).status, 200, 'with the same nonce')
})
