import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startCluster } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { OPTIONS, runContract } from './contract.js'

// What a test touches lies on three servers, which answer in any order.
const cluster = await startCluster(3, 0)
t.teardown(() => cluster.stop())

runContract(t, 'redis cluster of three', clock => openRedisStore(cluster.url, clock, OPTIONS), new ManualClock())
