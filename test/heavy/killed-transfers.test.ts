// Each request of a transfer, and each timer, with a node that dies after some of its writes: among them those after which most is left to do.
// ALL_WRITES=1, as in `npm run test:transfers`: after each of them, which takes minutes.
import t from 'tap'
import { KilledTransfers } from '../helpers/killed-transfers.js'
import { OUTCOMES, TIMED } from '../helpers/transfer-outcomes.js'

/** The accept of another call is committed after the third; on a Cluster the state of the call, and no user has its mail yet, after the fifth. */
const SOME_WRITES = { redis: [3], cluster: [3, 5] }

for (const isCluster of [false, true])
  t.test(isCluster ? 'on a Cluster' : 'on one Redis', async t => {
    const killed = await KilledTransfers.open(isCluster)
    t.teardown(() => killed.close())
    await killed.checkTimers(t, Array(4).fill(TIMED).flat())
    const some = SOME_WRITES[isCluster ? 'cluster' : 'redis']
    await killed.check(t, OUTCOMES, process.env.ALL_WRITES === '1' ? undefined : some)
  })
