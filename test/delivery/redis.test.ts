import t from 'tap'
import { startRedis } from '../helpers/redis.js'
import { redis } from './engines.js'
import { tellAll } from './stories/all.js'

const server = await startRedis()
t.teardown(() => server.stop())

tellAll(t, redis(server.url))
