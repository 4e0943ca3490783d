// A real Cluster of three primaries. Clients reach each one through a proxy, where a test holds or drops what a node sends.
import { Redis } from 'ioredis'
import { partitionOf } from '../../src/store/partition.js'
import { slotOf } from '../../src/store/redis/keys.js'
import { startProxy, type Proxy as TcpProxy } from './proxy.js'
import { type RedisCluster, startCluster } from './redis.js'
import { until } from './until.js'

const PRIMARIES = 3
const SLOTS = 16_384

interface Primary {
  /** Not through the proxy. */
  readonly client: Redis
  readonly proxy: TcpProxy
}

export interface ProxiedCluster extends RedisCluster {
  readonly primaries: readonly Primary[]
  /** The primary of this partition. */
  primaryOf(partition: number): Primary
}

const indexOf = (partition: number): number => Math.floor((slotOf(partition) * PRIMARIES) / SLOTS)

/** The first name that begins with `stem` and lies on this primary. In lower case, because proxies compare lower case. */
export function nameOn(primary: number, stem: string): string {
  for (let n = 0; ; n++) if (indexOf(partitionOf(`${stem}${n}`)) === primary) return `${stem}${n}`
}

export async function startProxiedCluster(): Promise<ProxiedCluster> {
  const cluster = await startCluster(PRIMARIES, 0)
  const primaries = await Promise.all(
    cluster.nodes.map(async ({ port }) => ({ client: new Redis(port), proxy: await startProxy(port) }))
  )
  for (const { client, proxy } of primaries) await client.config('SET', 'cluster-announce-port', `${proxy.port}`)
  for (const { client } of primaries) {
    await until('all nodes announce the ports of their proxies', async () => {
      const slots = JSON.stringify(await client.call('CLUSTER', 'SLOTS'))
      return primaries.every(({ proxy }) => slots.includes(`${proxy.port}`))
    })
  }
  return {
    ...cluster,
    url: `redis-cluster://${primaries.map(({ proxy }) => `127.0.0.1:${proxy.port}`).join(',')}`,
    primaries,
    primaryOf: partition => primaries[indexOf(partition)] as Primary,
    async stop() {
      for (const { client } of primaries) client.disconnect()
      await Promise.all(primaries.map(({ proxy }) => proxy.close()))
      await cluster.stop()
    }
  }
}
