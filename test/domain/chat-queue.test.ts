import t from 'tap'
import {
  advance,
  asCourier,
  begin,
  failed,
  handBack,
  NEW_QUEUE,
  nudge,
  pauseMs,
  type QueueState,
  rest
} from '../../src/domain/chat/service-queue.js'

const NOW = 1_000_000
const HOLD_MS = 10_000
const place = { version: 4, id: 'm4' }
const nudged = nudge(NEW_QUEUE, NOW)
const atWork = begin(nudged, { node: 'a', holdMs: HOLD_MS }, NOW)
const trouble = { pauseMaxMs: 3000, giveUpAt: null }

t.test('news is due at once, and one node takes the work for a while', async t => {
  t.match(nudged, { version: 1, nudges: 1, courier: null, lookAt: NOW })
  t.match(atWork, { version: 2, courier: 'a', lookAt: NOW + HOLD_MS })
  t.equal(begin(atWork, { node: 'b', holdMs: HOLD_MS }, NOW + HOLD_MS - 1), atWork, 'not due for anybody else')
  t.match(
    begin(atWork, { node: 'b', holdMs: HOLD_MS }, NOW + HOLD_MS),
    { courier: 'b' },
    'but when the first is silent'
  )
  t.equal(begin(NEW_QUEUE, { node: 'a', holdMs: HOLD_MS }, NOW), NEW_QUEUE, 'what is over is never due')
})

t.test('who has lost the work changes nothing any more', async t => {
  const taken = begin(atWork, { node: 'b', holdMs: HOLD_MS }, NOW + HOLD_MS)
  const done = (state: QueueState) => advance(state, place, NOW)
  t.equal(asCourier(taken, 'a', done), taken)
  t.match(asCourier(taken, 'b', done), { cursor: place })
})

t.test('a message that was delivered is behind the cursor, and trouble is forgotten', async t => {
  const troubled = { ...atWork, failures: 3 }
  t.match(advance(troubled, place, NOW + 7), { cursor: place, failures: 0, courier: 'a', lookAt: NOW + 7 })
})

t.test('after a failure it is tried again after a pause, and news does not make that sooner', async t => {
  const once = failed(atWork, trouble, NOW)
  t.match(once, { failures: 1, courier: null, lookAt: NOW + 500 })
  t.match(nudge(once, NOW + 1), { nudges: 2, lookAt: NOW + 500 })
  const last = failed({ ...atWork, failures: 9 }, { ...trouble, giveUpAt: NOW + 5 }, NOW)
  t.match(last, { giveUpAt: NOW + 5, lookAt: NOW + 5 }, 'a room that is over is looked at before it goes')
})

t.test('pauses double up to the longest', async t => {
  t.same(
    [0, 1, 2, 3, 4, 400].map(failures => pauseMs(failures, 3000)),
    [500, 1000, 2000, 3000, 3000, 3000]
  )
})

t.test('nobody rests while there is news', async t => {
  const meanwhile = nudge(atWork, NOW)
  t.match(meanwhile, { courier: 'a', lookAt: NOW + HOLD_MS }, 'news does not take the work away')
  t.equal(rest(meanwhile, atWork.nudges, NOW + 9), meanwhile)
  t.match(rest(meanwhile, meanwhile.nudges, NOW + 9), { courier: null, lookAt: NOW + 9 })
  t.match(nudge(rest(atWork, atWork.nudges, null), NOW), { lookAt: NOW }, 'what was over begins again')
})

t.test('a node that closes leaves the work to anybody, at once', async t => {
  t.match(handBack(atWork, NOW), { courier: null, lookAt: NOW })
})
