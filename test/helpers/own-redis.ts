// A scenario on a Redis of its own, which the test may pause, fail over or delay through a proxy. Everything is closed after the test.
import type { Test } from 'tap'
import { startProxy, type Proxy as TcpProxy } from './proxy.js'
import { type RedisServer, startRedis } from './redis.js'
import { Scenario } from './scenario.js'
import { type Environment, type Setting, TestCluster } from './test-cluster.js'

const TWO_NODES: Setting = { name: 'Redis, two nodes', engine: 'redis', nodes: 2 }

interface Options {
  readonly setting?: Setting
  readonly env?: Environment
}

export async function openScenario(
  t: Test,
  { cluster = false, ...options }: Options & { cluster?: boolean } = {}
): Promise<{ scenario: Scenario; redis: RedisServer }> {
  const redis = await startRedis({ cluster })
  return { scenario: await scenarioOn(t, redis, options), redis }
}

/** The nodes reach their Redis only through the proxy. */
export async function openProxiedScenario(
  t: Test,
  options: Options = {}
): Promise<{ scenario: Scenario; redis: RedisServer; proxy: TcpProxy }> {
  const redis = await startRedis()
  const proxy = await startProxy(redis.port)
  const through = { ...redis, url: `redis://127.0.0.1:${proxy.port}`, port: proxy.port }
  const stop = async () => {
    await proxy.close()
    await redis.stop()
  }
  return { scenario: await scenarioOn(t, { ...through, stop }, options), redis, proxy }
}

async function scenarioOn(t: Test, redis: RedisServer, { setting = TWO_NODES, env = {} }: Options): Promise<Scenario> {
  const cluster = await TestCluster.open(setting, env, redis)
  const scenario = new Scenario(cluster)
  t.teardown(async () => {
    await scenario.closeStreams()
    await cluster.close()
    await redis.stop()
  })
  return scenario
}
