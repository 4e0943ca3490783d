import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { deliveryContract } from './contract/delivery.js'
import { takenCommitContract } from './contract/message-condition.js'
import { OPTIONS, runContract } from './contract.js'

// A Cluster of one node refuses scripts that touch two slots, as a large one does.
const server = await startRedis({ cluster: true })
t.teardown(() => server.stop())

const open = (clock: ManualClock) => openRedisStore(server.url, clock, OPTIONS)
runContract(t, { name: 'redis cluster', open, also: [takenCommitContract, deliveryContract] }, new ManualClock())
