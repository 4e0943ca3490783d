// Redis refuses writes during a call: streams stay open, reads succeed, and no acknowledged write is lost.
import { Redis } from 'ioredis'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { startRedis } from '../helpers/redis.js'
import { openSse } from '../helpers/sse.js'
import { until } from '../helpers/until.js'

const PROBES = 30

t.test(
  'while Redis is full, writes get store_full, the node is not ready, streams stay open and reads succeed; then all recovers',
  async t => {
    const server = await startRedis()
    const redis = new Redis(server.port)
    const limits = { AWAY_AFTER_MS: '500', GRACE_MS: '1000', PRESENCE_TTL_MS: '1000', HEARTBEAT_MS: '500' }
    const config = loadConfig({ LOG_LEVEL: 'silent', REDIS_URL: server.url, ...limits })
    const app = await buildApp(config)
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const headersOf = async (user: string) => ({
      authorization: `Bearer ${await createToken(config, { user })}`,
      'x-device-id': 'phone'
    })
    const [alice, bob] = [await headersOf('alice'), await headersOf('bob')]
    const streams = await Promise.all([alice, bob].map(headers => openSse(`${url}/v1/events`, { headers })))
    t.teardown(async () => {
      for (const stream of streams) await stream.close()
      redis.disconnect()
      await app.close()
      await server.stop()
    })
    for (const stream of streams) await stream.next('hello')
    const post = (path: string, headers: typeof alice, payload: object = {}) =>
      app.inject({ method: 'POST', url: `/v1${path}`, headers, payload })
    const ready = () => app.inject('/readyz')

    t.equal((await post('/calls', alice, { callId: 'c1', to: 'bob' })).statusCode, 201)
    t.equal((await post('/calls/c1/accept', bob)).statusCode, 200)
    await until('all events are delivered', async () => (await redis.keys('*outbox*')).length === 0)
    await redis.config('SET', 'maxmemory', 1)

    const refused = await post('/calls/c1/hangup', alice)
    t.match(refused.json(), { status: 503, code: 'store_full', retryable: true })
    t.equal(refused.headers['retry-after'], '5')
    t.match((await app.inject({ url: '/v1/calls/c1', headers: bob })).json(), { call: { state: 'connecting' } })
    t.equal((await app.inject({ url: '/v1/events/poll?wait=0', headers: bob })).json().code, 'store_full')
    const late = await openSse(`${url}/v1/events`, { headers: await headersOf('carol') })
    t.match((await late.next('end')).data, { reason: 'store_full', reconnect: true }, 'an EventSource reconnects later')
    await late.ended()
    // For longer than GRACE_MS.
    for (let probe = 0; probe < PROBES; probe++) {
      t.match((await ready()).json(), { status: 503, code: 'store_full' })
      await new Promise(resolve => setTimeout(resolve, 100))
    }

    await redis.config('SET', 'maxmemory', 0)
    const back = await openSse(`${url}/v1/events`, { headers: await headersOf('dave') })
    await back.next('hello')
    await back.close()
    await until('the node is ready again', async () => (await ready()).statusCode === 200)
    // No device was announced away, and the call continues.
    await new Promise(resolve => setTimeout(resolve, 1500))
    for (const stream of streams) {
      const types = stream.waiting().map(({ type }) => type)
      t.notOk(
        types.some(type => ['end', 'call.peer_away', 'call.ended', 'reset'].includes(type)),
        types.join(' ')
      )
    }
    t.equal((await post('/calls/c1/hangup', alice)).statusCode, 200, 'the refused request succeeds')
    for (const stream of streams.slice(1)) t.match((await stream.next('call.ended')).data, { reason: 'hangup' })
  }
)
