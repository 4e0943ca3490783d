import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { OPTIONS, runContract } from './contract.js'

// A Cluster of one node refuses what touches two slots just as a large one does.
const server = await startRedis({ cluster: true })
t.teardown(() => server.stop())

runContract(t, 'redis cluster', clock => openRedisStore(server.url, clock, OPTIONS), new ManualClock())
