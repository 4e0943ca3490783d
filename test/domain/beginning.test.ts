// How calls begin and end: what is in them, repeats of a create, and the tombstones that keep a call from existing (DESIGN 5a).
import t from 'tap'
import type { CallCommand } from '../../src/domain/command.js'
import { viewCall } from '../../src/domain/state.js'
import {
  accept,
  after,
  attempt,
  cancel,
  connected,
  create,
  decide,
  describe,
  hangup,
  laptop,
  mallory,
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

type Because = Extract<CallCommand, { type: 'refuse' }>['because']
const refuse = (because: Because): CallCommand => ({ type: 'refuse', callId: 'c1', actor: phone, to: 'bob', because })
const fence = () => refuse({ code: 'call_ended' })

t.test('a call as it begins', async t => {
  const { state, events } = decide(null, create(), T0)
  const call = viewCall(state, T0)
  t.strictSame(call, {
    callId: 'c1',
    version: 1,
    state: 'ringing',
    caller: phone,
    callee: { user: 'bob', device: null },
    media: 'video',
    metadata: { topic: 'lunch' },
    createdAt: '2026-11-21T10:00:00.000Z',
    answeredAt: null,
    connectedAt: null,
    endedAt: null,
    reason: null,
    endedBy: null,
    expiresInMs: RING_MS,
    setupMs: null,
    durationMs: null,
    held: { caller: false, callee: false },
    negotiation: { revision: 0, pendingFrom: null }
  })
  t.strictSame(events, [
    {
      to: { user: 'bob' },
      type: 'call.incoming',
      data: {
        callId: 'c1',
        version: 1,
        from: phone,
        media: 'video',
        metadata: { topic: 'lunch' },
        expiresInMs: RING_MS,
        call
      }
    }
  ])
})

t.test('a call as it ends says who, why and how long', async t => {
  const over = decide(connected(), hangup(laptop, 'media_failed'), T0 + 9000).state
  t.match(viewCall(over, T0 + 60_000), {
    state: 'ended',
    version: 4,
    callee: laptop,
    answeredAt: '2026-11-21T10:00:01.000Z',
    connectedAt: '2026-11-21T10:00:02.000Z',
    endedAt: '2026-11-21T10:00:09.000Z',
    reason: 'media_failed',
    endedBy: laptop,
    expiresInMs: null,
    setupMs: 2000,
    durationMs: 7000
  })
  const unanswered = decide(ringing(), cancel(tablet)).state
  t.match(viewCall(unanswered, T0), { reason: 'cancelled', endedBy: tablet, setupMs: null, durationMs: null })
})

t.test('time that has run out is never negative', async t => {
  t.equal(viewCall(ringing(), T0 + 2 * RING_MS).expiresInMs, 0)
})

t.test('a repeated create is the call that exists, in whatever state', async t => {
  for (const state of [ringing(), connected(), after(create(), cancel(phone))]) {
    t.equal(outcomeOf(state, create()), 'same', state.phase)
    t.equal(outcomeOf(state, create({ actor: tablet })), 'same', 'from any device of the caller')
    t.equal(outcomeOf(state, create({ metadata: {}, media: null })), 'same', 'the first one counts')
    t.equal(outcomeOf(state, create({ actor: mallory })), 'call_id_taken')
    t.equal(outcomeOf(state, create({ actor: laptop, to: 'alice' })), 'call_id_taken', 'also for the callee')
    t.equal(outcomeOf(state, create({ to: 'carol' })), 'call_id_taken')
    t.notMatch((attempt(state, create({ actor: mallory }), T0) as { extra?: object }).extra, { currentState: /./ })
  }
})

t.test('a cancel before its create leaves a tombstone, and the late create is cancelled', async t => {
  const { state, events } = decide(null, cancel(phone), T0)
  t.strictSame(events, [])
  t.match(viewCall(state, T0), { state: 'ended', reason: 'cancelled', callee: null, endedBy: phone, version: 1 })
  t.equal(outcomeOf(state, create()), 'same', 'to whomever')
  t.equal(outcomeOf(state, create({ to: 'carol' })), 'same')
  t.equal(outcomeOf(state, create({ actor: mallory })), 'call_id_taken')
  t.equal(outcomeOf(state, cancel(phone)), 'same')
  t.equal(outcomeOf(state, cancel(mallory)), 'call_not_found')
  t.equal(outcomeOf(state, accept(laptop)), 'call_not_found', 'nobody was ever called')
})

t.test('a refused create answers its retries as it was answered', async t => {
  for (const [code, reason] of [
    ['caller_busy', 'busy'],
    ['callee_busy', 'busy'],
    ['call_glare', 'busy'],
    ['call_ended', 'server']
  ] as const) {
    const { state, events } = decide(null, refuse({ code }))
    t.strictSame(events, [])
    t.match(viewCall(state, T0), { state: 'ended', reason, callee: { user: 'bob', device: null } })
    t.match(attempt(state, create(), T0), { code, extra: { currentState: 'ended', reason } })
    t.equal(outcomeOf(state, create({ actor: mallory })), 'call_id_taken')
    t.equal(outcomeOf(state, accept(laptop)), 'call_ended', 'it can never come to life')
  }
})

t.test('a create that was merged points to the call it became', async t => {
  const { state } = decide(null, refuse({ code: 'merged', into: 'c2' }))
  t.match(state, { phase: 'ended', mergedInto: 'c2', refusal: null })
  t.equal(outcomeOf(state, create()), 'same')
})

t.test('a fenced call can never be born', async t => {
  const { state, events } = decide(null, fence())
  t.strictSame(events, [])
  t.match(viewCall(state, T0), { state: 'ended', reason: 'server', endedBy: null })
  t.match(attempt(state, create(), T0), { code: 'call_ended' })
})

t.test('a tombstone comes too late for a call that was born', async t => {
  for (const state of [ringing(), connected(), after(create(), cancel(phone))]) {
    t.equal(outcomeOf(state, fence()), 'same')
    t.equal(outcomeOf(state, refuse({ code: 'callee_busy' })), 'same')
  }
})

t.test('devices decline one by one, and the last one for all', async t => {
  const one = after(create(), reject(watch, 'device'))
  t.strictSame(one.declined, ['watch'])
  t.equal(
    outcomeOf(one, reject(laptop, 'device')),
    'ended: alice ended(declined); bob but watch laptop ended(declined_elsewhere)'
  )
  t.equal(outcomeOf(one, reject(laptop, 'device', ['laptop', 'watch', 'tv'])), 'ringing', 'a third one still rings')
  t.equal(outcomeOf(one, reject(watch, 'device')), 'same', 'again')
  t.equal(
    outcomeOf(one, reject(watch, 'device', ['watch'])),
    'ended: alice ended(declined); bob but watch ended(declined_elsewhere)',
    'again, and the others have signed off'
  )
  t.equal(
    outcomeOf(ringing(), reject(watch, 'device', [])),
    'ended: alice ended(declined); bob but watch ended(declined_elsewhere)'
  )
  t.equal(
    outcomeOf(one, reject(laptop, 'user')),
    'ended: alice ended(declined); bob but watch laptop ended(declined_elsewhere)'
  )
})

t.test('a device that declined may change its mind, and others’ answers are not its business', async t => {
  const one = after(create(), reject(watch, 'device'))
  t.equal(outcomeOf(one, accept(laptop)), 'connecting: alice accepted; bob but watch laptop ended(answered_elsewhere)')
  t.equal(outcomeOf(one, accept(watch)), 'connecting: alice accepted; bob but watch ended(answered_elsewhere)')
  const won = after(create(), reject(watch, 'device'), accept(watch))
  t.equal(outcomeOf(won, cancel(phone)), 'ended: alice but phone ended(cancelled); bob/watch ended(cancelled)')
})

t.test('only the first ringing is told', async t => {
  const rung = after(create(), simple('ringing', laptop))
  t.equal(outcomeOf(rung, simple('ringing', watch)), 'same')
  t.match(decide(ringing(), simple('ringing', watch)).events, [{ to: { user: 'alice' }, data: { by: watch } }])
})

t.test('each side holds for itself', async t => {
  const held = decide(connected(), simple('hold', phone))
  t.match(held.events, [{ to: laptop, type: 'call.held', data: { by: phone, held: { caller: true, callee: false } } }])
  const both = decide(held.state, simple('hold', laptop))
  t.match(both.events, [{ to: { user: 'alice' }, data: { held: { caller: true, callee: true } } }])
  const resumed = decide(both.state, simple('resume', phone))
  t.match(resumed.events, [
    { to: laptop, type: 'call.resumed', data: { by: phone, held: { caller: false, callee: true } } }
  ])
  t.equal(outcomeOf(both.state, simple('hold', laptop)), 'same')
})

t.test('an early offer is not kept in a call that is over', async t => {
  const { description } = describe('offer', phone, 'a1')
  t.equal(after(create({ offer: description }), cancel(phone)).earlyOffer, null)
  t.equal(after(create({ offer: description }), reject(laptop, 'user')).earlyOffer, null)
})
