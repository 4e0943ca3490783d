import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startCluster } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { deliveryContract } from './contract/delivery.js'
import { takenCommitContract } from './contract/message-condition.js'
import { OPTIONS, runContract } from './contract.js'

// The keys of a test lie on three servers, which reply in any order.
const cluster = await startCluster(3, 0)
t.teardown(() => cluster.stop())

const open = (clock: ManualClock) => openRedisStore(cluster.url, clock, OPTIONS)
runContract(
  t,
  { name: 'redis cluster of three', open, also: [takenCommitContract, deliveryContract] },
  new ManualClock()
)
