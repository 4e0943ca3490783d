import t from 'tap'
import { advance, begin, failed, handBack, NEW_QUEUE, nudge, pauseMs, rest } from '../../src/domain/chat-queue.js'

const NOW = 1_000_000
const HOLD_MS = 10_000
const place = { version: 4, id: 'm4' }
const nudged = nudge(NEW_QUEUE, NOW)
const atWork = begin(nudged, 'a', NOW, HOLD_MS)
const trouble = { pauseMaxMs: 3000, giveUpAt: null }

t.test('news is due at once, and one node takes the work for a while', async t => {
  t.match(nudged, { version: 1, nudges: 1, courier: null, lookAt: NOW })
  t.match(atWork, { version: 2, courier: 'a', lookAt: NOW + HOLD_MS })
  t.equal(begin(atWork, 'b', NOW + HOLD_MS - 1, HOLD_MS), atWork, 'not due for anybody else')
  t.match(begin(atWork, 'b', NOW + HOLD_MS, HOLD_MS), { courier: 'b' }, 'but when the first is silent')
  t.equal(begin(NEW_QUEUE, 'a', NOW, HOLD_MS), NEW_QUEUE, 'what is over is never due')
})

t.test('who has lost the work changes nothing any more', async t => {
  const taken = begin(atWork, 'b', NOW + HOLD_MS, HOLD_MS)
  t.equal(advance(taken, 'a', place, NOW), taken)
  t.equal(failed(taken, 'a', NOW, trouble), taken)
  t.equal(rest(taken, 'a', taken.nudges, NOW), taken)
  t.equal(handBack(taken, 'a', NOW), taken)
})

t.test('a message that was delivered is behind the cursor, and trouble is forgotten', async t => {
  const troubled = { ...atWork, failures: 3 }
  t.match(advance(troubled, 'a', place, NOW + 7), { cursor: place, failures: 0, courier: 'a', lookAt: NOW + 7 })
})

t.test('after a failure it is tried again after a pause, and news does not make that sooner', async t => {
  const once = failed(atWork, 'a', NOW, trouble)
  t.match(once, { failures: 1, courier: null, lookAt: NOW + 500 })
  t.match(nudge(once, NOW + 1), { nudges: 2, lookAt: NOW + 500 })
  const last = failed({ ...atWork, failures: 9 }, 'a', NOW, { ...trouble, giveUpAt: NOW + 5 })
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
  t.equal(rest(meanwhile, 'a', atWork.nudges, NOW + 9), meanwhile)
  t.match(rest(meanwhile, 'a', meanwhile.nudges, NOW + 9), { courier: null, lookAt: NOW + 9 })
  t.match(nudge(rest(atWork, 'a', atWork.nudges, null), NOW), { lookAt: NOW }, 'what was over begins again')
})

t.test('a node that closes leaves the work to anybody, at once', async t => {
  t.match(handBack(atWork, 'a', NOW), { courier: null, lookAt: NOW })
})
