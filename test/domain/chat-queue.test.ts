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
const position = { version: 4, id: 'm4' }
const announced = announceMessage(NEW_QUEUE, NOW)
const delivering = startDelivery(announced, { node: 'a', leaseMs: LEASE_MS }, NOW)
const options = { backoffMaxMs: 3000, giveUpAt: null }

t.test(
  'when a message is announced, the queue is due at once, and one node delivers for the time of its lease',
  async t => {
    t.match(announced, { version: 1, announcements: 1, deliveringNode: null, checkAt: NOW })
    t.match(delivering, { version: 2, deliveringNode: 'a', checkAt: NOW + LEASE_MS })
    t.equal(
      startDelivery(delivering, { node: 'b', leaseMs: LEASE_MS }, NOW + LEASE_MS - 1),
      delivering,
      'not due for another node'
    )
    t.match(
      startDelivery(delivering, { node: 'b', leaseMs: LEASE_MS }, NOW + LEASE_MS),
      { deliveringNode: 'b' },
      'due after the lease'
    )
    t.equal(
      startDelivery(NEW_QUEUE, { node: 'a', leaseMs: LEASE_MS }, NOW),
      NEW_QUEUE,
      'a queue that is over is never due'
    )
  }
)

t.test('when another node has taken over, the first one changes nothing', async t => {
  const taken = startDelivery(delivering, { node: 'b', leaseMs: LEASE_MS }, NOW + LEASE_MS)
  const done = (state: QueueState) => advance(state, position, NOW)
  t.equal(ifDelivering(taken, 'a', done), taken)
  t.match(ifDelivering(taken, 'b', done), { lastDone: position })
})

t.test('when a message is delivered, it is the last one done and the failures are reset', async t => {
  const failing = { ...delivering, failures: 3 }
  t.match(advance(failing, position, NOW + 7), {
    lastDone: position,
    failures: 0,
    deliveringNode: 'a',
    checkAt: NOW + 7
  })
})

t.test('when a delivery fails, it is tried again after the back-off, which a new message does not shorten', async t => {
  const once = recordFailure(delivering, options, NOW)
  t.match(once, { failures: 1, deliveringNode: null, checkAt: NOW + 500 })
  t.match(announceMessage(once, NOW + 1), { announcements: 2, checkAt: NOW + 500 })
  const last = recordFailure({ ...delivering, failures: 9 }, { ...options, giveUpAt: NOW + 5 }, NOW)
  t.match(last, { giveUpAt: NOW + 5, checkAt: NOW + 5 }, 'not later than the time to give up')
})

t.test('when failures repeat, the back-off doubles up to its maximum', async t => {
  t.same(
    [0, 1, 2, 3, 4, 400].map(failures => backoffMs(failures, 3000)),
    [500, 1000, 2000, 3000, 3000, 3000]
  )
})

t.test('when a message was announced meanwhile, the delivery does not finish', async t => {
  const meanwhile = announceMessage(delivering, NOW)
  t.match(meanwhile, { deliveringNode: 'a', checkAt: NOW + LEASE_MS }, 'an announcement does not end the delivery')
  t.equal(finishDelivery(meanwhile, delivering.announcements, NOW + 9), meanwhile)
  t.match(finishDelivery(meanwhile, meanwhile.announcements, NOW + 9), { deliveringNode: null, checkAt: NOW + 9 })
  t.match(
    announceMessage(finishDelivery(delivering, delivering.announcements, null), NOW),
    { checkAt: NOW },
    'a queue that was over is due again'
  )
})

t.test('when the node closes, the queue is due at once for any node', async t => {
  t.match(releaseQueue(delivering, NOW), { deliveringNode: null, checkAt: NOW })
})
