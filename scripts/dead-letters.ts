// What the chat service will never get, a line of JSON each, oldest first: npm run --silent dead-letters. Reads the Redis of
// REDIS_URL; what a server without one has given up is in its memory only, and each is named in its log.
import Fastify from 'fastify'
import { systemClock } from '../src/clock.js'
import { loadConfig } from '../src/config.js'
import { createIds } from '../src/ids.js'
import { createRedisStore } from '../src/store/redis/redis.js'

const config = loadConfig(process.env)
const { redisUrl: url, chatDeadLettersMax } = config
if (url === null) throw new Error('REDIS_URL says where they are')
const store = await createRedisStore({ ...config, url, clock: systemClock, ids: createIds(), log: Fastify().log })
try {
  for (const letter of await store.deadLetters.list(chatDeadLettersMax)) console.log(letter)
} finally {
  await store.close()
}
