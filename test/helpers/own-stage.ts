// A stage on a Redis of its own, which the test may hang, fail over or hold back through a proxy. All of it goes with the test.
import type { Test } from 'tap'
import { startProxy, type Proxy as TcpProxy } from './proxy.js'
import { type RedisServer, startRedis } from './redis.js'
import { Stage } from './scenario.js'
import { type Environment, House, type Setting } from './test-cluster.js'

const TWO_NODES: Setting = { name: 'Redis, two nodes', engine: 'redis', nodes: 2 }

interface Options {
  readonly setting?: Setting
  readonly env?: Environment
}

export async function openStage(
  t: Test,
  { cluster = false, ...options }: Options & { cluster?: boolean } = {}
): Promise<{ stage: Stage; redis: RedisServer }> {
  const redis = await startRedis({ cluster })
  return { stage: await stageOn(t, redis, options), redis }
}

/** The nodes reach their Redis through the proxy alone. */
export async function openProxiedStage(
  t: Test,
  options: Options = {}
): Promise<{ stage: Stage; redis: RedisServer; proxy: TcpProxy }> {
  const redis = await startRedis()
  const proxy = await startProxy(redis.port)
  const through = { ...redis, url: `redis://127.0.0.1:${proxy.port}`, port: proxy.port }
  const stop = async () => {
    await proxy.close()
    await redis.stop()
  }
  return { stage: await stageOn(t, { ...through, stop }, options), redis, proxy }
}

async function stageOn(t: Test, redis: RedisServer, { setting = TWO_NODES, env = {} }: Options): Promise<Stage> {
  const house = await House.open(setting, env, redis)
  const stage = new Stage(house)
  t.teardown(async () => {
    await stage.clear()
    await house.close()
    await redis.stop()
  })
  return stage
}
