import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { deliveryContract } from './contract/delivery.js'
import { currentCommitContract } from './contract/message-condition.js'
import { OPTIONS, runContract } from './contract.js'

const server = await startRedis()
t.teardown(() => server.stop())

const open = (clock: ManualClock) => openRedisStore(server.url, clock, OPTIONS)
runContract(t, { name: 'redis', open, also: [currentCommitContract, deliveryContract] }, new ManualClock())
