// A call to several users, at once and in sequence: who rings, what each of them sees, and how it ends.
import t from 'tap'
import type { CallCommand, NewCallee } from '../../src/domain/call/command.js'
import { pushesOf } from '../../src/domain/call/push.js'
import { recordOf } from '../../src/domain/call/record.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import { viewCall } from '../../src/domain/call/view.js'
import {
  accept,
  after,
  appeared,
  cancel,
  check,
  create,
  decide,
  hangup,
  laptop,
  message,
  outcomeOf,
  phone,
  RING_MS,
  reject,
  simple,
  T0,
  watch
} from '../helpers/calls.js'

const tv = { user: 'carol', device: 'tv' }
const radio = { user: 'dave', device: 'radio' }
const callees = (...more: readonly Partial<NewCallee>[]): NewCallee[] =>
  ['bob', 'carol', 'dave'].map((user, i) => ({ user, ringMs: RING_MS, ...more[i] }))
const all = (...more: readonly Partial<NewCallee>[]) => create({ callees: callees(...more) })
const sequence = () => all({}, { isWaiting: true }, { isWaiting: true })
const ring = (user: string): CallCommand => ({ type: 'ring', user })
const skip = (user: string): CallCommand => ({ type: 'skip', user, reason: 'busy' })
const rejects = (actor: typeof tv) => reject(actor, 'user')
/** state/reason of each callee, as the caller sees them. */
const statesOf = (state: CallState) =>
  viewCall(state, T0, 'alice').callees?.map(each => [each.state, ...(each.reason ? [each.reason] : [])].join('/'))

t.test('a create rings all callees at once', async t => {
  t.equal(outcomeOf(null, all(), T0), 'ringing: bob incoming; carol incoming; dave incoming')
  t.equal(outcomeOf(null, all({ leftOut: 'busy' }), T0), 'ringing: carol incoming; dave incoming', 'but those left out')
  t.equal(
    outcomeOf(null, all({ isMuted: true }), T0),
    'ringing: carol incoming; dave incoming',
    'and who blocks the caller'
  )
  t.equal(outcomeOf(null, all({ device: 'laptop' }), T0), 'ringing: bob/laptop incoming; carol incoming; dave incoming')
  t.equal(outcomeOf(null, sequence(), T0), 'ringing: bob incoming', 'in sequence only the first')
})

t.test('the caller sees each callee, and a callee only itself', async t => {
  const state = after(all({ leftOut: 'busy' }), simple('ringing', tv))
  t.match(viewCall(state, T0, 'alice'), {
    callee: null,
    callees: [
      { user: 'bob', device: null, state: 'ended', reason: 'busy' },
      { user: 'carol', device: null, state: 'ringing', reason: null },
      { user: 'dave', device: null, state: 'ringing', reason: null }
    ]
  })
  const seen = viewCall(state, T0, 'carol')
  t.match(seen, { callee: { user: 'carol', device: null }, state: 'ringing' })
  t.notMatch(JSON.stringify(seen), /callees|bob|dave/)
  for (const { to, type, data } of decide(null, all(), T0).events) {
    t.equal(type, 'call.incoming')
    const others = ['bob', 'carol', 'dave'].filter(user => user !== to.user)
    t.notMatch(JSON.stringify(data), new RegExp(others.join('|')), `${to.user} learns of no other`)
  }
})

const CASES: Readonly<
  Record<string, readonly [before: readonly CallCommand[], command: CallCommand, outcome: string]>
> = {
  'the first accept wins': [
    [all()],
    accept(laptop),
    'connecting: alice accepted; bob but laptop ended(answered_elsewhere); carol ended(answered_elsewhere); dave ended(answered_elsewhere)'
  ],
  'an accept after that of another user': [[all(), accept(laptop)], accept(tv), 'answered_elsewhere'],
  'an accept after that of another device': [[all(), accept(laptop)], accept(watch), 'answered_elsewhere'],
  'one of them declines': [
    [all()],
    rejects(tv),
    'ringing: alice callee_changed; carol but tv ended(declined_elsewhere)'
  ],
  'one of them hangs up': [
    [all()],
    hangup(tv),
    'ringing: alice callee_changed; carol but tv ended(declined_elsewhere)'
  ],
  'an accept after a decline': [[all(), rejects(tv)], accept(tv), 'call_ended'],
  'a second decline': [[all(), rejects(tv)], rejects(tv), 'same'],
  'one of them is in another call': [
    [all()],
    { type: 'busy', user: 'carol' },
    'ringing: alice callee_changed; carol ended(busy)'
  ],
  'all of them decline': [
    [all(), rejects(laptop), rejects(tv)],
    rejects(radio),
    'ended: alice ended(declined); dave but radio ended(declined_elsewhere)'
  ],
  'some decline, the last is busy': [
    [all(), rejects(laptop), rejects(tv)],
    { type: 'busy', user: 'dave' },
    'ended: alice ended(no_answer); dave ended(busy)'
  ],
  'the caller cancels': [
    [all(), rejects(tv)],
    cancel(phone),
    'ended: alice but phone ended(cancelled); bob ended(cancelled); dave ended(cancelled)'
  ],
  'a message of the caller': [[all(), rejects(tv)], message(phone, 'm1'), 'ringing: bob message; dave message'],
  'a message of one of them': [[all()], message(tv, 'm1'), 'ringing: alice/phone message'],
  'an accept on another device than the one called': [[all({ device: 'laptop' })], accept(watch), 'other_device'],
  'a decline on the only device called': [
    [all({ device: 'laptop' })],
    reject(laptop, 'device'),
    'ringing: alice callee_changed'
  ],
  'ringing of another device than the one called': [
    [all({ device: 'laptop' })],
    simple('ringing', watch),
    'other_device'
  ],
  'a device that appears late': [[all()], appeared(tv, true), 'same: carol/tv incoming'],
  'a late device that is not called': [[all({ device: 'laptop' })], appeared(watch, true), 'same'],
  'a late device of one who declined': [[all(), rejects(tv)], appeared({ ...tv, device: 'car' }, true), 'same'],
  'an accept of one who waits': [[sequence()], accept(tv), 'call_not_found'],
  'a late device of one who waits': [[sequence()], appeared(tv, true), 'call_not_found'],
  'the turn of one who waits, while another rings': [[sequence()], ring('carol'), 'same'],
  'the first declines': [
    [sequence()],
    rejects(laptop),
    'ringing: alice callee_changed; bob but laptop ended(declined_elsewhere)'
  ],
  'the turn of the next': [
    [sequence(), rejects(laptop)],
    ring('carol'),
    'ringing: alice callee_changed; carol incoming'
  ],
  'the turn of one who is not the next': [[sequence(), rejects(laptop)], ring('dave'), 'same'],
  'the next is busy': [[sequence(), rejects(laptop)], skip('carol'), 'ringing: alice callee_changed'],
  'the last is busy': [[sequence(), rejects(laptop), skip('carol')], skip('dave'), 'ended: alice ended(no_answer)'],
  'the caller cancels between two turns': [
    [sequence(), rejects(laptop)],
    cancel(phone),
    'ended: alice but phone ended(cancelled)'
  ],
  'the second accepts': [
    [sequence(), rejects(laptop), ring('carol')],
    accept(tv),
    'connecting: alice accepted; carol but tv ended(answered_elsewhere)'
  ]
}

t.test('what happens in a call to several users', async t => {
  for (const [name, [before, command, expected]] of Object.entries(CASES)) {
    t.equal(outcomeOf(after(...before), command), expected, name)
  }
})

t.test('each callee has its own ring time', async t => {
  const state = after(all({ ringMs: 5000 }, { ringMs: 10_000 }, { ringMs: 10_000 }))
  t.equal(deadlineOf(state), T0 + 5000)
  t.equal(viewCall(state, T0, 'alice').expiresInMs, 10_000)
  t.equal(viewCall(state, T0, 'bob').expiresInMs, 5000)
  const first = decide(state, check(), T0 + 5000)
  t.equal(outcomeOf(state, check(), T0 + 5000), 'ringing: alice callee_changed; bob ended(no_answer)')
  t.equal(deadlineOf(first.state), T0 + 10_000)
  t.equal(
    outcomeOf(first.state, check(), T0 + 10_000),
    'ended: alice ended(no_answer); carol ended(no_answer); dave ended(no_answer)'
  )
})

t.test('a call whose next callee has to ring is due at once', async t => {
  const state = after(sequence(), rejects(laptop))
  t.equal(deadlineOf(state), T0 + 1000)
  t.equal(outcomeOf(state, check(), T0 + 1000), 'ringing')
  t.equal(viewCall(after(sequence()), T0, 'alice').expiresInMs, 3 * RING_MS, 'the caller sees the time of all')
  t.equal(deadlineOf(decide(state, ring('carol'), T0 + 5000).state), T0 + 5000 + RING_MS)
})

t.test('the leases of those who leave are released, and of no one else', async t => {
  const releasesOf = (before: readonly CallCommand[], command: CallCommand) =>
    decide(after(...before), command).releases
  t.strictSame(releasesOf([all()], rejects(tv)), ['carol'])
  t.strictSame(releasesOf([all()], accept(laptop)), ['carol', 'dave'])
  t.strictSame(releasesOf([all({}, { isMuted: true })], accept(laptop)), ['dave'])
  t.strictSame(releasesOf([sequence(), rejects(laptop)], skip('carol')), ['carol'])
  t.equal(releasesOf([sequence(), rejects(laptop)], ring('carol')), undefined)
})

t.test('for a callee who has left, the call stays as it ended then', async t => {
  const before = after(all(), rejects(tv))
  const left = viewCall(before, T0, 'carol')
  t.match(left, { version: 2, state: 'ended', reason: 'declined', endedBy: { user: 'carol', device: null } })
  const state = after(all(), rejects(tv), accept(laptop), simple('connected', phone), hangup(phone))
  t.strictSame(viewCall(state, T0 + 60_000, 'carol'), left)
  t.match(viewCall(state, T0, 'dave'), {
    state: 'ended',
    reason: 'answered_elsewhere',
    endedBy: null,
    callee: { user: 'dave' }
  })
  t.notMatch(JSON.stringify(viewCall(state, T0, 'dave')), /bob|carol|laptop/)
  for (const command of [cancel(tv), rejects(tv), hangup(tv)]) t.equal(outcomeOf(state, command), 'same', command.type)
  t.equal(outcomeOf(state, message(tv, 'm1')), 'call_ended')
})

t.test('the caller sees how it ended for each', async t => {
  t.strictSame(statesOf(after(sequence())), ['ringing', 'waiting', 'waiting'])
  t.strictSame(statesOf(after(all(), rejects(tv), accept(laptop))), [
    'answered',
    'ended/declined',
    'ended/answered_elsewhere'
  ])
  t.match(viewCall(after(all(), accept(laptop)), T0, 'alice').callees, [{ device: 'laptop' }])
  t.strictSame(statesOf(after(sequence(), rejects(laptop), ring('carol'), cancel(phone))), [
    'ended/declined',
    'ended/cancelled',
    'ended/cancelled'
  ])
})

t.test('a callee who blocks the caller looks like one who does not answer', async t => {
  const blocked = after(all({ isMuted: true }))
  t.equal(outcomeOf(blocked, accept(laptop)), 'call_not_found')
  const due = (state: CallState) => decide(state, check(), T0 + RING_MS).state
  t.strictSame(statesOf(due(blocked)), statesOf(due(after(all()))))
})

t.test('a call in which the last of several declines tells each what it did', async t => {
  const state = after(all(), { type: 'busy', user: 'bob' }, rejects(tv), rejects(radio))
  t.match(viewCall(state, T0, 'alice'), { reason: 'no_answer', endedBy: null })
  t.match(viewCall(state, T0, 'dave'), { reason: 'declined', endedBy: { user: 'dave', device: null } })
})

t.test('the record of a call names whom it called', async t => {
  const before = after(all(), rejects(tv))
  t.match(recordOf(before, decide(before, cancel(phone)).state, T0), {
    callee: null,
    callees: [{}, { reason: 'declined' }, {}]
  })
  const answered = after(all(), accept(laptop))
  t.match(recordOf(answered, decide(answered, hangup(phone)).state, T0), { callee: { user: 'bob', device: 'laptop' } })
  t.notOk('callees' in recordOf(null, after(create(), cancel(phone)), T0))
})

t.test('each callee is woken when it rings, and learns when it has stopped ringing', async t => {
  const kindsOf = (before: CallState | null, state: CallState) =>
    pushesOf(before, state, T0).map(({ data }) => `${data.kind} ${data.user}`)
  const woken = { wakes: ['phone'] }
  const first = after(all(woken, { ...woken, isWaiting: true }))
  t.strictSame(kindsOf(null, first), ['incoming bob'])
  const declined = decide(first, { type: 'busy', user: 'dave' }).state
  t.strictSame(kindsOf(first, declined), [])
  const left = decide(declined, { type: 'busy', user: 'bob' }).state
  t.strictSame(kindsOf(declined, left), ['cancelled bob'])
  const next = decide(left, { type: 'ring', user: 'carol', wakes: ['phone'] }).state
  t.strictSame(kindsOf(left, next), ['incoming carol'])
  t.strictSame(kindsOf(next, decide(next, accept(tv)).state), ['cancelled carol'])
})

t.test('the timeline shows a callee nothing of the others', async t => {
  const state = after(
    sequence(),
    simple('ringing', laptop),
    rejects(laptop),
    ring('carol'),
    simple('ringing', tv),
    accept(tv),
    hangup(phone)
  )
  const lines = (user: string) =>
    viewTimeline(state, user).entries.map(({ type, by, callee }) =>
      [type, by?.user, ...(callee ? [callee] : [])].join(' ')
    )
  t.strictSame(lines('alice'), [
    'created alice',
    'ringing bob',
    'callee_changed bob ended',
    'callee_changed carol ringing',
    'ringing carol',
    'accepted carol',
    'ended alice'
  ])
  t.strictSame(lines('bob'), ['created alice', 'ringing bob', 'callee_changed bob ended'])
  t.strictSame(lines('carol'), [
    'created alice',
    'callee_changed carol ringing',
    'ringing carol',
    'accepted carol',
    'ended alice'
  ])
})
