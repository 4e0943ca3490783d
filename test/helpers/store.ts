// A Redis store for tests, without log output.
import Fastify, { type FastifyBaseLogger } from 'fastify'
import { type Clock, systemClock } from '../../src/clock.js'
import { createIds } from '../../src/ids.js'
import { createRedisStore, type RedisStore, type RedisStoreOptions } from '../../src/store/redis/redis.js'
import { LIMITS } from './limits.js'

export const silentLog: FastifyBaseLogger = Fastify().log

export function openRedisStore(
  url: string,
  clock: Clock = systemClock,
  parts: Partial<RedisStoreOptions> = {}
): Promise<RedisStore> {
  const options = { ...LIMITS, mailboxMaxEvents: 200, ids: createIds(), log: silentLog }
  return createRedisStore({ ...options, ...parts, url, clock })
}
