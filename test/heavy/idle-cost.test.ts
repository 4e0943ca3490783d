// How many commands nodes without clients send to Redis. The server counts them, those inside scripts included. The test runs in real time.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const WATCH_MS = 4_000

async function commandsASecond(t: Test, url: string, nodes: number): Promise<number> {
  const config = loadConfig({ LOG_LEVEL: 'error', REDIS_URL: url })
  const apps = await Promise.all(Array.from({ length: nodes }, () => buildApp(config)))
  const redis = new Redis(url.replace('redis-cluster:', 'redis:'))
  t.teardown(async () => {
    redis.disconnect()
    await Promise.all(apps.map(app => app.close()))
  })
  const count = async () => {
    const stats = await redis.info('commandstats')
    return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
  }
  const passed = (since: number, ms: number) => until(`${ms} ms have passed`, () => Date.now() >= since + ms)
  // By then the nodes of a Cluster have seen each other's heartbeats.
  await passed(Date.now(), 2_500)
  const [from, before] = [Date.now(), await count()]
  await passed(from, WATCH_MS)
  return ((await count()) - before) / ((Date.now() - from) / 1_000)
}

for (const [nodes, most] of [
  [1, 20],
  [4, 80]
] as const) {
  t.test(`${nodes} idle nodes on one server cause at most ${most} commands a second`, async t => {
    const server = await startRedis()
    t.teardown(() => server.stop())
    const found = await commandsASecond(t, server.url, nodes)
    t.ok(found <= most, `${found.toFixed(1)} a second`)
  })
}

t.test('on a Cluster four idle nodes claim as often as two, and each adds only probes and a heartbeat', async t => {
  const counts: number[] = []
  for (const nodes of [2, 4]) {
    const server = await startRedis({ cluster: true })
    t.teardown(() => server.stop())
    counts.push(await commandsASecond(t, server.url, nodes))
  }
  const [two = 0, four = 0] = counts
  t.ok(two > 512, `${two.toFixed(0)} a second`)
  t.ok(four - two < 80, `${four.toFixed(0)} a second`)
})
