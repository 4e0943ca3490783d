import t from 'tap'
import { startRedis } from '../helpers/redis.js'
import { tellAll } from './cases/all.js'
import { redis } from './engines.js'

const server = await startRedis()
t.teardown(() => server.stop())

tellAll(t, redis(server.url))
