import t from 'tap'
import {
  advance,
  announceMessage,
  backoffMs,
  finishDelivery,
  ifDelivering,
  NEW_QUEUE,
  type QueueState,
  recordFailure,
  releaseQueue,
  startDelivery
} from '../../src/domain/chat/service-queue.js'

const NOW = 1_000_000
const LEASE_MS = 10_000
const place = { version: 4, id: 'm4' }
const nudged = announceMessage(NEW_QUEUE, NOW)
const atWork = startDelivery(nudged, { node: 'a', leaseMs: LEASE_MS }, NOW)
const trouble = { backoffMaxMs: 3000, giveUpAt: null }

t.test('news is due at once, and one node takes the work for a while', async t => {
  t.match(nudged, { version: 1, announcements: 1, deliveringNode: null, checkAt: NOW })
  t.match(atWork, { version: 2, deliveringNode: 'a', checkAt: NOW + LEASE_MS })
  t.equal(
    startDelivery(atWork, { node: 'b', leaseMs: LEASE_MS }, NOW + LEASE_MS - 1),
    atWork,
    'not due for anybody else'
  )
  t.match(
    startDelivery(atWork, { node: 'b', leaseMs: LEASE_MS }, NOW + LEASE_MS),
    { deliveringNode: 'b' },
    'but when the first is silent'
  )
  t.equal(startDelivery(NEW_QUEUE, { node: 'a', leaseMs: LEASE_MS }, NOW), NEW_QUEUE, 'what is over is never due')
})

t.test('who has lost the work changes nothing any more', async t => {
  const taken = startDelivery(atWork, { node: 'b', leaseMs: LEASE_MS }, NOW + LEASE_MS)
  const done = (state: QueueState) => advance(state, place, NOW)
  t.equal(ifDelivering(taken, 'a', done), taken)
  t.match(ifDelivering(taken, 'b', done), { cursor: place })
})

t.test('a message that was delivered is behind the cursor, and trouble is forgotten', async t => {
  const troubled = { ...atWork, failures: 3 }
  t.match(advance(troubled, place, NOW + 7), { cursor: place, failures: 0, deliveringNode: 'a', checkAt: NOW + 7 })
})

t.test('after a failure it is tried again after a pause, and news does not make that sooner', async t => {
  const once = recordFailure(atWork, trouble, NOW)
  t.match(once, { failures: 1, deliveringNode: null, checkAt: NOW + 500 })
  t.match(announceMessage(once, NOW + 1), { announcements: 2, checkAt: NOW + 500 })
  const last = recordFailure({ ...atWork, failures: 9 }, { ...trouble, giveUpAt: NOW + 5 }, NOW)
  t.match(last, { giveUpAt: NOW + 5, checkAt: NOW + 5 }, 'a room that is over is looked at before it goes')
})

t.test('pauses double up to the longest', async t => {
  t.same(
    [0, 1, 2, 3, 4, 400].map(failures => backoffMs(failures, 3000)),
    [500, 1000, 2000, 3000, 3000, 3000]
  )
})

t.test('nobody rests while there is news', async t => {
  const meanwhile = announceMessage(atWork, NOW)
  t.match(meanwhile, { deliveringNode: 'a', checkAt: NOW + LEASE_MS }, 'news does not take the work away')
  t.equal(finishDelivery(meanwhile, atWork.announcements, NOW + 9), meanwhile)
  t.match(finishDelivery(meanwhile, meanwhile.announcements, NOW + 9), { deliveringNode: null, checkAt: NOW + 9 })
  t.match(
    announceMessage(finishDelivery(atWork, atWork.announcements, null), NOW),
    { checkAt: NOW },
    'what was over begins again'
  )
})

t.test('a node that closes leaves the work to anybody, at once', async t => {
  t.match(releaseQueue(atWork, NOW), { deliveringNode: null, checkAt: NOW })
})
