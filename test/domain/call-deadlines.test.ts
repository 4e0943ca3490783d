// Liveness of the two sides (away, back, lost), and deadlines.
import t from 'tap'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import { viewCall } from '../../src/domain/call/view.js'
import {
  AWAY_MS,
  accept,
  after,
  appeared,
  CHECK_MS,
  CONNECT_MS,
  check,
  connected,
  connecting,
  create,
  decide,
  describe,
  ended,
  GRACE_MS,
  laptop,
  outcomeOf,
  phone,
  RING_MS,
  reject,
  ringing,
  simple,
  T0,
  tablet,
  watch
} from '../helpers/calls.js'

const RANG_OUT = T0 + RING_MS
/** accept comes a second after create. */
const EXPIRES = T0 + 1000 + CONNECT_MS

t.test('an unanswered call ends exactly when its ring time is over', async t => {
  t.equal(deadlineOf(ringing()), RANG_OUT)
  t.equal(outcomeOf(ringing(), check(), RANG_OUT - 1), 'ringing')
  t.equal(outcomeOf(ringing(), check(), RANG_OUT), 'ended: alice ended(no_answer); bob ended(no_answer)')
  const { state } = decide(ringing(), check(), RANG_OUT)
  t.match(state, { reason: 'no_answer', endedBy: null, endedAt: RANG_OUT })
  t.equal(deadlineOf(state), null)
})

t.test('a device that has rejected the call gets no end of the ringing', async t => {
  const declined = after(create(), reject(watch, 'device'))
  t.equal(outcomeOf(declined, check(), RANG_OUT), 'ended: alice ended(no_answer); bob but watch ended(no_answer)')
})

t.test('a side that is gone while the call rings does not end it: a push may wake its device', async t => {
  t.equal(outcomeOf(ringing(), check(T0 - 60_000, T0 - 60_000), RANG_OUT - 1), 'ringing')
})

t.test('an accepted call that does not connect in time expires', async t => {
  t.equal(connecting().limitAt, EXPIRES)
  t.equal(outcomeOf(connecting(), check(), EXPIRES - 1), 'connecting')
  t.equal(outcomeOf(connecting(), check(), EXPIRES), 'ended: alice ended(expired); bob/laptop ended(expired)')
})

t.test('when both sides are described, a call is connected when its connect time is over', async t => {
  const offered = after(create(), accept(laptop), describe('offer', phone, 'aliceA'))
  t.equal(outcomeOf(offered, check(), EXPIRES), 'ended: alice ended(expired); bob/laptop ended(expired)')
  const answered = decide(offered, describe('answer', laptop, 'bobA')).state
  t.equal(outcomeOf(answered, check(), EXPIRES - 1), 'connecting')
  t.equal(outcomeOf(answered, check(), EXPIRES), 'connected: alice connected; bob/laptop connected')
  const { state, events } = decide(answered, check(), EXPIRES)
  t.match(events, [{ data: { by: null, setupMs: null } }, { data: { by: null } }])
  t.match(state, { connectedAt: null, limitAt: null })
  t.match(viewTimeline(state, 'alice').entries.at(-1), { type: 'connected', by: null, unconfirmed: true })
  t.equal(outcomeOf(state, simple('hold', phone)), 'connected: bob/laptop held', 'it is a call like any other')
  t.equal(outcomeOf(state, check(), EXPIRES + 60_000), 'connected')
})

t.test('a report after the connect time confirms the call', async t => {
  const answered = after(
    create(),
    accept(laptop),
    describe('offer', phone, 'aliceA'),
    describe('answer', laptop, 'bobA')
  )
  const assumed = decide(answered, check(), EXPIRES).state
  const { state, events } = decide(assumed, simple('connected', laptop), EXPIRES + 1000)
  t.match(events, [{ to: { user: 'alice' }, type: 'call.connected', data: { by: laptop } }])
  t.match(state, { phase: 'connected', connectedAt: EXPIRES + 1000 })
  t.equal(outcomeOf(state, simple('connected', phone)), 'same')
  t.match(viewTimeline(state, 'alice').entries.at(-1), { type: 'connected', by: laptop, unconfirmed: undefined })
})

t.test('a call expires when the maximum duration since its answer is over', async t => {
  const short = { ...accept(laptop), maxMs: 60_000 } as ReturnType<typeof accept>
  const state = after(create(), short, simple('connected', phone))
  t.equal(viewCall(state, T0 + 2000, 'alice').expiresInMs, 59_000)
  t.equal(outcomeOf(state, check(), T0 + 61_000), 'ended: alice ended(expired); bob/laptop ended(expired)')
  t.equal(outcomeOf(state, check(), T0 + 60_999), 'connected')
  t.equal(outcomeOf(after(create(), short), check(), EXPIRES - 1), 'connecting', 'the connect time comes first')
})

t.test('a connected call has no time limit, only the next check', async t => {
  t.equal(connected().limitAt, null)
  t.equal(deadlineOf(connected()), T0 + 1000 + CHECK_MS)
  const { state, events } = decide(connected(), check(), T0 + 1_000_000)
  t.strictSame([state.phase, events, deadlineOf(state)], ['connected', [], T0 + 1_000_000 + CHECK_MS])
})

t.test('the earlier of the two deadlines counts', async t => {
  const connectSoon = after(create(), { ...accept(laptop), connectMs: 1 } as ReturnType<typeof accept>)
  t.equal(deadlineOf(connectSoon), T0 + 1001)
  t.equal(deadlineOf(connecting()), T0 + 1000 + CHECK_MS)
})

t.test('away is announced once, with the remaining time', async t => {
  const since = T0 + 10_000
  t.equal(outcomeOf(connected(), check(null, since), since + AWAY_MS - 1), 'connected')
  const away = decide(connected(), check(null, since), since + AWAY_MS + 200)
  t.match(away.events, [
    { to: { user: 'alice' }, type: 'call.peer_away', data: { device: laptop, expiresInMs: GRACE_MS - AWAY_MS - 200 } }
  ])
  t.strictSame(away.state.away, { caller: false, callee: true })
  t.equal(outcomeOf(away.state, check(null, since), since + AWAY_MS + 300), 'connected', 'no second time')
})

t.test('the next check is set to the next possible change', async t => {
  const since = T0 + 10_000
  const checks: [string, number | null, number | null, number, number][] = [
    ['both sides are there', null, null, since, since + CHECK_MS],
    ['one side has just gone', null, since, since + 10, since + AWAY_MS],
    ['one side is away', null, since, since + 6000, since + 6000 + AWAY_MS],
    ['one side is nearly lost', null, since, since + GRACE_MS - 1, since + GRACE_MS],
    ['both sides are gone', since - 3000, since, since + 10, since - 3000 + AWAY_MS]
  ]
  for (const [why, caller, callee, now, next] of checks) {
    const { state } = decide(connected(), check(caller, callee), now)
    t.equal(deadlineOf(state), next, why)
    t.ok(next > now, `${why}: later than now`)
  }
})

t.test('a side that is back in time is announced once', async t => {
  const since = T0 + 10_000
  const away = decide(connected(), check(null, since), since + AWAY_MS).state
  t.equal(outcomeOf(away, appeared(laptop, false), since + 9000), 'connected: alice peer_back')
  t.equal(outcomeOf(away, appeared(watch, true)), 'same', 'not another device')
  t.equal(outcomeOf(away, appeared(phone, false)), 'same', 'not the other side')
  const back = decide(away, appeared(laptop, false), since + 9000).state
  t.equal(outcomeOf(back, appeared(laptop, false)), 'same')
  t.equal(outcomeOf(back, check(), since + 9500), 'connected')
  t.equal(outcomeOf(away, check(), since + 9000), 'connected: alice peer_back', 'also by a check')
})

t.test('the caller’s device is announced as away too', async t => {
  const since = T0 + 10_000
  const away = decide(connected(), check(since, null), since + AWAY_MS)
  t.match(away.events, [{ to: laptop, type: 'call.peer_away', data: { device: phone } }])
  t.equal(outcomeOf(away.state, appeared(tablet, true)), 'same')
  t.equal(outcomeOf(away.state, appeared(phone, true)), 'connected: bob/laptop peer_back')
})

t.test('a side that is gone for the grace time ends the call as lost for both sides', async t => {
  const since = T0 + 10_000
  for (const state of [connected(), decide(connected(), check(null, since), since + AWAY_MS).state]) {
    const lost = 'ended: alice ended(lost); bob/laptop ended(lost)'
    t.equal(outcomeOf(state, check(null, since), since + GRACE_MS), lost)
    t.equal(outcomeOf(state, check(since, since), since + GRACE_MS), lost, 'also when both are gone')
    t.match(decide(state, check(null, since), since + GRACE_MS).state, { endedBy: laptop })
    t.match(decide(state, check(since, null), since + GRACE_MS).state, { endedBy: phone })
  }
  t.equal(
    outcomeOf(connecting(), check(T0 - GRACE_MS, null), T0 + 2000),
    'ended: alice ended(lost); bob/laptop ended(lost)'
  )
})

t.test('when both sides are away, one that is back does not end the wait for the other', async t => {
  const since = T0 + 10_000
  const away = decide(connected(), check(since, since + 1000), since + 1000 + AWAY_MS)
  t.same(
    away.events.map(({ to, type }) => [to.user, type]),
    [
      ['bob', 'call.peer_away'],
      ['alice', 'call.peer_away']
    ]
  )
  const half = decide(away.state, check(null, since + 1000), since + 12_000)
  t.match(half.events, [{ to: laptop, type: 'call.peer_back', data: { device: phone } }])
  t.strictSame(half.state.away, { caller: false, callee: true })
})

t.test('a check of an ended call changes nothing', async t => {
  t.equal(outcomeOf(ended(), check(0, 0), T0 + 1_000_000_000), 'same')
})

t.test('a ringing call is offered to a device that registers later, with the remaining time', async t => {
  const state = ringing({ offer: { sdp: 'v=0', ufrags: ['a1'], digest: 'd' } })
  const { events } = decide(state, appeared(watch, true), T0 + 12_000)
  t.match(events, [
    {
      to: watch,
      type: 'call.incoming',
      data: {
        from: phone,
        expiresInMs: RING_MS - 12_000,
        offer: { revision: 1, sdp: 'v=0' },
        call: { state: 'ringing' }
      }
    }
  ])
  t.equal(outcomeOf(state, appeared(watch, false)), 'same', 'not to a device that has the offer')
  const declined = after(create(), reject(watch, 'device'))
  t.equal(outcomeOf(declined, appeared(watch, true)), 'same', 'not to a device that has rejected it')
  t.equal(outcomeOf(ringing(), appeared(tablet, true)), 'same', 'not to the caller’s device')
})

t.test('every live call has a deadline', async t => {
  const live: CallState[] = [
    ringing(),
    connecting(),
    connected(),
    after(create(), accept(laptop), simple('connected', laptop))
  ]
  for (const state of live) t.type(deadlineOf(state), 'number', state.phase)
  t.equal(deadlineOf(ended()), null)
})
