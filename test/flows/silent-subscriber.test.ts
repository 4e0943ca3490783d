// The connection that receives wake-ups is open and silent, as behind a broken middlebox: a call still rings within 3 s.
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { Client, type ClientEvent, type Transport } from '../helpers/client.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'

// Each case waits for real seconds.
t.jobs = 2

/** 3 s, and the time of the requests on a busy machine. */
const WITHIN_MS = 3_000 + 500

async function start(t: Test) {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  const config = loadConfig({ LOG_LEVEL: 'silent', REDIS_URL: `redis://127.0.0.1:${proxy.port}` })
  const app = await buildApp(config)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await app.close()
    await proxy.close()
    await server.stop()
  })
  const enter = async (user: string) => {
    const client = new Client(url, { token: await createToken(config, { user }), device: 'phone' })
    t.teardown(() => client.close())
    return client
  }
  return { proxy, enter }
}

/** The next event of the type. Throws if the stream ends before. */
async function first(events: AsyncGenerator<ClientEvent>, type: string): Promise<ClientEvent> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the events ended before ${type}`)
    if (value.type === type) return value
  }
}

for (const transport of ['sse', 'poll'] satisfies Transport[]) {
  t.test(`a call rings within 3 s while the subscriber connection is silent, by ${transport}`, async t => {
    const { proxy, enter } = await start(t)
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    const events = bob.events(transport)
    await first(events, 'hello')
    const incoming = first(events, 'call.incoming')
    // The first poll has returned, and the next one may not wait yet.
    await alice.post('/calls', { callId: 'before', to: 'bob' })
    t.match(await incoming, { data: { callId: 'before' } }, 'the connection works')
    await alice.post('/calls/before/cancel')
    await first(events, 'call.ended')
    const next = first(events, 'call.incoming')
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(proxy.silence('ssubscribe'), 1)
    const startedAt = performance.now()
    await alice.post('/calls', { callId: 'silent', to: 'bob' })
    t.match(await next, { data: { callId: 'silent' } })
    const took = performance.now() - startedAt
    t.ok(took < WITHIN_MS, `after ${Math.round(took)} ms`)
  })
}
