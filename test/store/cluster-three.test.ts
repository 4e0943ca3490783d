import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startCluster } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { deliveryContract } from './contract/delivery.js'
import { takenContract } from './contract/message-condition.js'
import { OPTIONS, runContract } from './contract.js'

// What a test touches lies on three servers, which answer in any order.
const cluster = await startCluster(3, 0)
t.teardown(() => cluster.stop())

const open = (clock: ManualClock) => openRedisStore(cluster.url, clock, OPTIONS)
runContract(t, { name: 'redis cluster of three', open, also: [takenContract, deliveryContract] }, new ManualClock())
