import t from 'tap'
import { startRedis } from '../helpers/redis.js'
import { testDelivery } from './cases/all.js'
import { redis } from './engines.js'

const server = await startRedis()
t.teardown(() => server.stop())

testDelivery(t, redis(server.url))
