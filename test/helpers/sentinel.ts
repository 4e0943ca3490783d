// A primary with replicas and three Sentinels, which replace a dead primary within about two seconds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { end, freePort, launch, type RedisServer, startServer } from './redis.js'
import { until } from './until.js'

const NAME = 'calls'
const DOWN_AFTER_MS = [500, 5000, 5000]
/** Milliseconds, instead of one or two seconds. */
const SHORT_PERIODS = ['INFO-PERIOD', 100, 'ASK-PERIOD', 100, 'PUBLISH-PERIOD', 100]

export interface SentinelSetup {
  readonly url: string
  /** Of the first Sentinel, which detects a dead primary first. */
  readonly port: number
  /** The current primary according to the first Sentinel. */
  primary(): Promise<RedisServer>
  /** The number of connections that subscribe to the first Sentinel. */
  subscribers(): Promise<number>
  /** Resolves when all Sentinels know the primary, each other and this number of replicas, which have all writes so far. */
  settle(replicas: number): Promise<void>
  stop(): Promise<void>
}

interface Sentinel {
  readonly port: number
  readonly client: Redis
  stop(): Promise<void>
}

export const addressOf = (...sentinels: readonly { readonly port: number }[]): string =>
  `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`

export async function startSentinels(replicas: number): Promise<SentinelSetup> {
  const first = await startServer()
  const others = Array.from({ length: replicas }, () => startServer({ primary: first.port }))
  const servers = [first, ...(await Promise.all(others))]
  const sentinels = await Promise.all(DOWN_AFTER_MS.map(ms => startSentinel(first.port, ms)))
  const leader = sentinels[0] as Sentinel
  const setup: SentinelSetup = {
    url: addressOf(...sentinels),
    port: leader.port,
    async primary() {
      const port = await primaryPort(leader)
      return servers.find(server => server.port === port) as RedisServer
    },
    subscribers: () => subscribers(leader),
    async settle(count) {
      const sees = async () => (await Promise.all(sentinels.map(sentinel => seesAll(sentinel, count)))).every(Boolean)
      await until('the Sentinels know all servers', sees)
      const client = new Redis((await setup.primary()).port)
      // WAIT covers the writes of its own connection, which follow all earlier writes of others.
      await client.set('settled', '')
      await client.wait(count, 0)
      client.disconnect()
    },
    async stop() {
      await Promise.all(sentinels.map(sentinel => sentinel.stop()))
      await Promise.all(servers.map(server => server.stop()))
    }
  }
  await setup.settle(replicas)
  return setup
}

/**
 * The first Sentinel detects a failure sooner, with a quorum of 1. If all three detected it at once, each would vote for itself, and the
 * next election would begin only seconds later. The others still have to elect the first one.
 */
async function startSentinel(primary: number, downAfterMs: number): Promise<Sentinel> {
  const dir = mkdtempSync(join(tmpdir(), 'signalpost-sentinel-'))
  const [port, file] = [await freePort(), join(dir, 'sentinel.conf')]
  writeFileSync(
    file,
    `port ${port}
bind 127.0.0.1
dir ${dir}
sentinel monitor ${NAME} 127.0.0.1 ${primary} 1
sentinel down-after-milliseconds ${NAME} ${downAfterMs}
sentinel failover-timeout ${NAME} 2000
`
  )
  const child = await launch([file, '--sentinel'])
  const client = new Redis(port)
  await client.call('SENTINEL', 'DEBUG', ...SHORT_PERIODS)
  return {
    port,
    client,
    async stop() {
      client.disconnect()
      await end(child)
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

async function primaryPort({ client }: Sentinel): Promise<number> {
  const [, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string]
  return Number(port)
}

async function seesAll({ client }: Sentinel, replicas: number): Promise<boolean> {
  const found = (await client.call('SENTINEL', 'REPLICAS', NAME)) as string[][]
  const inSync = found.filter(
    fields => fieldOf(fields, 'master-link-status') === 'ok' && fieldOf(fields, 'flags') === 'slave'
  )
  const quorum = await client.call('SENTINEL', 'CKQUORUM', NAME).catch(() => '')
  return inSync.length === replicas && String(quorum).startsWith(`OK ${DOWN_AFTER_MS.length} usable`)
}

const subscribers = async ({ client }: Sentinel): Promise<number> =>
  String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    .split('\n')
    .filter(Boolean).length

const fieldOf = (fields: readonly string[], name: string) => fields[fields.indexOf(name) + 1]
