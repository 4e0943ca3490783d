// A Redis store for tests: quiet, and opened in one line.
import Fastify, { type FastifyBaseLogger } from 'fastify'
import { type Clock, systemClock } from '../../src/clock.js'
import { createIds } from '../../src/ids.js'
import { createRedisStore, type RedisStore, type RedisStoreOptions } from '../../src/store/redis/redis.js'

export const silentLog: FastifyBaseLogger = Fastify().log

export function openRedisStore(
  url: string,
  clock: Clock = systemClock,
  parts: Partial<RedisStoreOptions> = {}
): Promise<RedisStore> {
  const limits = { retentionMs: 600_000, mailboxMaxEvents: 200, maxDevicesPerUser: 32 }
  const options = { ...limits, ids: createIds(), log: silentLog }
  return createRedisStore({ ...options, ...parts, url, clock })
}
