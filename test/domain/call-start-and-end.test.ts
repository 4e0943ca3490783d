// Creation and end of a call: its members, repeated creates, and rejects.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallState } from '../../src/domain/call/state.js'
import { viewCall } from '../../src/domain/call/view.js'
import {
  accept,
  after,
  appeared,
  attempt,
  cancel,
  check,
  connected,
  connecting,
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

t.test('a create makes a ringing call', async t => {
  const { state, events } = decide(null, create(), T0)
  const call = viewCall(state, T0, 'alice')
  t.strictSame(call, {
    callId: 'c1',
    version: 1,
    state: 'ringing',
    caller: phone,
    callee: { user: 'bob', device: null },
    media: 'video',
    metadata: { topic: 'lunch' },
    offerer: 'caller',
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

t.test('an ended call shows who ended it, the reason and the duration', async t => {
  const over = decide(connected(), hangup(laptop, 'media_failed'), T0 + 9000).state
  t.match(viewCall(over, T0 + 60_000, 'alice'), {
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
  t.match(viewCall(unanswered, T0, 'alice'), { reason: 'cancelled', endedBy: tablet, setupMs: null, durationMs: null })
})

t.test('an operator ends a call in every phase, and one that has ended stays as it is', async t => {
  const stop: CallCommand = { type: 'stop' }
  const rows: [state: CallState, outcome: string][] = [
    [ringing(), 'ended: alice ended(server); bob ended(server)'],
    [after(create(), reject(watch, 'device')), 'ended: alice ended(server); bob but watch ended(server)'],
    [after(create({ isMuted: true })), 'ended: alice ended(server)'],
    [connecting(), 'ended: alice ended(server); bob/laptop ended(server)'],
    [connected(), 'ended: alice ended(server); bob/laptop ended(server)'],
    [after(create(), cancel(phone)), 'same'],
    [after(create(), stop), 'same']
  ]
  for (const [state, outcome] of rows) t.equal(outcomeOf(state, stop), outcome, state.phase)
  t.match(viewCall(after(create(), stop), T0, 'alice'), { reason: 'server', endedBy: null })
  t.equal(outcomeOf(null, stop), 'call_not_found')
})

t.test('the remaining time is never negative', async t => {
  t.equal(viewCall(ringing(), T0 + 2 * RING_MS, 'alice').expiresInMs, 0)
})

t.test('a repeated create returns the existing call in every phase', async t => {
  for (const state of [ringing(), connected(), after(create(), cancel(phone))]) {
    t.equal(outcomeOf(state, create()), 'same', state.phase)
    t.equal(outcomeOf(state, create({ actor: tablet })), 'same', 'from any device of the caller')
    t.equal(outcomeOf(state, create({ metadata: {}, media: null })), 'same', 'the first one counts')
    t.equal(outcomeOf(state, create({ actor: mallory })), 'call_id_taken')
    t.equal(outcomeOf(state, create({ actor: laptop, to: 'alice' })), 'call_id_taken', 'also for the callee')
    t.equal(outcomeOf(state, create({ to: 'carol' })), 'same', 'to whomever')
    t.notMatch((attempt(state, create({ actor: mallory }), T0) as { extra?: object }).extra, { currentState: /./ })
  }
})

t.test('devices reject one by one, and the reject of the last one ends the call', async t => {
  const one = after(create(), reject(watch, 'device'))
  t.strictSame(one.called[0]?.declined, ['watch'])
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

t.test('a device that has rejected the call may accept it, and gets no event when another one does', async t => {
  const one = after(create(), reject(watch, 'device'))
  t.equal(outcomeOf(one, accept(laptop)), 'connecting: alice accepted; bob but watch laptop ended(answered_elsewhere)')
  t.equal(outcomeOf(one, accept(watch)), 'connecting: alice accepted; bob but watch ended(answered_elsewhere)')
  const won = after(create(), reject(watch, 'device'), accept(watch))
  t.equal(outcomeOf(won, cancel(phone)), 'ended: alice but phone ended(cancelled); bob/watch ended(cancelled)')
})

t.test('only the first ringing device is announced to the caller', async t => {
  const rung = after(create(), simple('ringing', laptop))
  t.equal(outcomeOf(rung, simple('ringing', watch)), 'same')
  t.match(decide(ringing(), simple('ringing', watch)).events, [
    { to: { user: 'alice' }, data: { by: { user: 'bob', device: null } } }
  ])
})

t.test('each side holds and resumes separately', async t => {
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

t.test('an ended call has no early offer', async t => {
  const { description } = describe('offer', phone, 'a1')
  t.strictSame(after(create({ offer: description }), cancel(phone)).early, {})
  t.strictSame(after(create({ offer: description }), reject(laptop, 'user')).early, {})
})

t.test('before the answer no event and no view names a device of the callee', async t => {
  const steps: Readonly<Record<string, CallCommand[]>> = {
    'it rings': [],
    'a device rings': [simple('ringing', watch)],
    'a device registers later': [appeared(watch, true)],
    'a device declines for itself': [simple('ringing', laptop), reject(watch, 'device')],
    'the last device declines': [reject(watch, 'device'), reject(laptop, 'device')],
    'a device declines for all': [simple('ringing', watch), reject(laptop, 'user')],
    'the callee accepts another call': [{ type: 'busy', user: 'bob' }],
    'the caller cancels': [simple('ringing', watch), cancel(tablet)]
  }
  for (const [name, commands] of Object.entries(steps)) {
    let { state, events } = decide(null, create(), T0)
    for (const command of commands) {
      const next = decide(state, command)
      state = next.state
      events = [...events, ...next.events]
    }
    const shown = JSON.stringify([viewCall(state, T0, 'alice'), events.map(({ data }) => data)])
    t.notMatch(shown, /laptop|watch/, name)
  }
  const lapsed = decide(after(create(), simple('ringing', watch)), check(), T0 + RING_MS)
  t.notMatch(
    JSON.stringify([viewCall(lapsed.state, T0, 'alice'), lapsed.events.map(({ data }) => data)]),
    /laptop|watch/
  )
  t.match(viewCall(connected(), T0, 'alice'), { callee: laptop }, 'the one that answered is shown')
})
