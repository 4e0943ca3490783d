import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { OPTIONS, runContract } from './contract.js'

const server = await startRedis()
t.teardown(() => server.stop())

runContract(t, 'redis', clock => openRedisStore(server.url, clock, OPTIONS), new ManualClock())
