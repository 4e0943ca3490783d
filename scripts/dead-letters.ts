// `npm run --silent dead-letters` prints the dead letters of the chat service, one line of JSON each, oldest first. It reads the Redis of
// REDIS_URL. A server without Redis keeps its dead letters in memory and logs the ids of each.
import Fastify from 'fastify'
import { systemClock } from '../src/clock.js'
import { loadConfig } from '../src/config.js'
import { createIds } from '../src/ids.js'
import { createRedisStore } from '../src/store/redis/redis.js'

const config = loadConfig(process.env)
const { redisUrl: url, chatDeadLettersMax } = config
if (url === null) throw new Error('Set REDIS_URL to the Redis that has the dead letters')
const store = await createRedisStore({ ...config, url, clock: systemClock, ids: createIds(), log: Fastify().log })
try {
  for (const { text } of await store.deadLetters.list({ limit: chatDeadLettersMax })) console.log(text)
} finally {
  await store.close()
}
