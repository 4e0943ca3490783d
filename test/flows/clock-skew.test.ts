// Two nodes on one Redis; the clock of one machine is 30 s off. No device counts as absent, deadlines fire in time, and the node warns.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { type Clock, systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { TestDeviceKey } from '../helpers/device-key.js'
import { type RedisServer, startRedis } from '../helpers/redis.js'
import { openSse } from '../helpers/sse.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

// Each case waits for real seconds.
t.jobs = 4

const ADMIN_SECRET = 'the-secret-of-operators-is-32-bytes-long'
const randomSeed = () => randomBytes(32).toString('base64url')
const PEOPLE = ['ann', 'ben', 'cat', 'dan']
/** Several times AWAY_AFTER_MS, GRACE_MS and PRESENCE_TTL_MS. */
const RUN_MS = 4_000
const env = {
  LOG_LEVEL: 'silent',
  AWAY_AFTER_MS: '300',
  GRACE_MS: '600',
  ROOM_RECONNECT_MS: '300',
  PRESENCE_TTL_MS: '1000',
  HEARTBEAT_MS: '500',
  RING_TIMEOUT_MS: '1000'
}

const offBy = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms })

async function startNode(t: Test, server: RedisServer, skewMs: number, more: Record<string, string> = {}) {
  const config = loadConfig({ ...env, ...more, REDIS_URL: server.url })
  const app = await buildApp(config, { systemClock: offBy(skewMs) })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return { app, url, config }
}

const readiness = (nodes: readonly Awaited<ReturnType<typeof startNode>>[]) =>
  Promise.all(nodes.map(({ app }) => app.inject('/readyz')))

async function enter(t: Test, { app, url, config }: Awaited<ReturnType<typeof startNode>>, user: string) {
  const headers = { authorization: `Bearer ${await createToken(config, { user })}`, 'x-device-id': 'phone' }
  const stream = await openSse(`${url}/v1/events`, { headers })
  t.teardown(() => stream.close())
  await stream.next('hello')
  const post = async (path: string, payload: object = {}) => {
    const reply = await app.inject({ method: 'POST', url: `/v1${path}`, headers, payload })
    if (reply.statusCode >= 300) throw new Error(`${path}: ${reply.statusCode} ${reply.body}`)
  }
  return { stream, post }
}

for (const skewMs of [30_000, -30_000]) {
  t.test(
    `with a clock that is ${skewMs} ms off no device is announced away, and a call ends after exactly its ring time`,
    async t => {
      const server = await startRedis()
      t.teardown(() => server.stop())
      const nodes = [await startNode(t, server, 0), await startNode(t, server, skewMs)]
      await until('both nodes are ready', async () =>
        (await readiness(nodes)).every(({ statusCode }) => statusCode === 200)
      )
      const people = await Promise.all(PEOPLE.map((user, i) => enter(t, nodes[i % 2] as (typeof nodes)[number], user)))
      for (const { post } of people) await post('/rooms/r1/participants')
      const [ann, ben] = people
      // The caller and the callee are on different nodes, in both directions.
      const startedAt = performance.now()
      await ann?.post('/calls', { callId: 'c1', to: 'ben' })
      t.match((await ann?.stream.next('call.ended'))?.data, { callId: 'c1', reason: 'no_answer' })
      t.match((await ben?.stream.next('call.ended'))?.data, { callId: 'c1' })
      await ben?.post('/calls', { callId: 'c2', to: 'ann' })
      t.match((await ben?.stream.next('call.ended'))?.data, { callId: 'c2', reason: 'no_answer' })
      const took = performance.now() - startedAt
      t.ok(took >= 2_000 && took < 6_000, `two rings of 1 s took ${Math.round(took)} ms`)
      await new Promise(resolve => setTimeout(resolve, Math.max(0, RUN_MS - took)))
      const types = people.flatMap(({ stream }) => stream.waiting().map(({ type }) => type))
      const wrong = types.filter(type =>
        ['room.participant_updated', 'room.participant_left', 'end', 'reset'].includes(type)
      )
      t.strictSame(wrong, [])
      const [fine, off] = await readiness(nodes)
      t.strictSame(fine?.json(), { status: 'ready' })
      t.match(off?.json(), { status: 'ready', warnings: [/30\.0 s (ahead of|behind) that of Redis/] })
    }
  )
}

t.test('a device gets along with nodes whose clocks are 40 s apart, and is revoked at once', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const devices = { ADMIN_PORT: '0', ADMIN_SECRET, JWT_SECRET: 'x'.repeat(32), SIGNING_KEYS: randomSeed() }
  const [ahead, behind] = [await startNode(t, server, 20_000, devices), await startNode(t, server, -20_000, devices)]
  const [owner, key] = [{ user: 'home', device: 'camera' }, new TestDeviceKey()]
  const admin = (method: 'PUT' | 'DELETE', payload?: object) =>
    ahead.app.admin?.inject({
      ...{ method, url: '/v1/admin/users/home/devices/camera/credential' },
      headers: { authorization: `Bearer ${ADMIN_SECRET}` },
      ...(payload ? { payload } : {})
    })
  const login = async ([nonceBy, tokenBy]: readonly [typeof ahead, typeof ahead]): Promise<string> => {
    const { nonce } = (await nonceBy.app.inject({ method: 'POST', url: '/v1/device/nonce' })).json()
    const payload = key.tokenRequest(owner, nonce)
    return (await tokenBy.app.inject({ method: 'POST', url: '/v1/device/token', payload })).json().token
  }
  const outcome = async ({ app }: typeof ahead, token: string) => {
    const reply = await app.inject({ url: '/v1/calls', headers: { authorization: `Bearer ${token}` } })
    return reply.json().code ?? reply.statusCode
  }
  t.equal((await admin('PUT', { publicKey: key.publicKey }))?.statusCode, 200)
  const tokens = [await login([ahead, behind]), await login([behind, ahead])]
  for (const node of [ahead, behind]) for (const token of tokens) t.equal(await outcome(node, token), 200)
  t.equal((await admin('DELETE'))?.statusCode, 204)
  for (const token of tokens) {
    t.equal(await outcome(ahead, token), 'token_revoked')
    await until('the other node refuses it', async () => (await outcome(behind, token)) === 'token_revoked')
  }
})

for (const cluster of [false, true]) {
  t.test(
    `stores agree on the time although the clocks of their machines differ${cluster ? ', on a Cluster' : ''}`,
    async t => {
      const server = await startRedis({ cluster })
      const skews = [0, 2_000, -2_000, 30_000]
      const stores = await Promise.all(
        skews.map(skewMs => openRedisStore(server.url, offBy(skewMs), { serverTime: true }))
      )
      t.teardown(async () => {
        for (const store of stores) await store.close()
        await server.stop()
      })
      await until('all stores are available', () => stores.every(store => store.availableSince() !== null))
      const times = stores.map(({ clock }) => clock.now())
      // Much less than the shortest time that matters: 2 s, after which a create counts as stalled.
      t.ok(Math.max(...times) - Math.min(...times) < 500, times.join(' '))
      for (const [i, skewMs] of skews.entries()) {
        const offset = stores[i]?.clockOffsetMs() ?? Number.NaN
        t.ok(Math.abs(offset - skewMs) < 500, `${skewMs}: ${offset}`)
        t.ok(
          Math.abs((stores[i]?.availableSince() ?? 0) - Date.now()) < 20_000,
          'availableSince is in the time of Redis'
        )
      }
    }
  )
}
