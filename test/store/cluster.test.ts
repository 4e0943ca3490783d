import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { deliveryContract } from './contract/delivery.js'
import { takenContract } from './contract/message-condition.js'
import { OPTIONS, runContract } from './contract.js'

// A Cluster of one node refuses what touches two slots just as a large one does.
const server = await startRedis({ cluster: true })
t.teardown(() => server.stop())

const open = (clock: ManualClock) => openRedisStore(server.url, clock, OPTIONS)
runContract(t, { name: 'redis cluster', open, also: [takenContract, deliveryContract] }, new ManualClock())
