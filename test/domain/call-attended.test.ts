// The rules of an attended transfer: alice joins bob and carol, whom she has consulted with her phone in the call `other`.
import t from 'tap'
import { byAge } from '../../src/domain/call/attended.js'
import type { CallCommand } from '../../src/domain/call/command.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { viewCall } from '../../src/domain/call/view.js'
import {
  accept,
  carol,
  connected,
  connecting,
  decide,
  ended,
  hangup,
  laptop,
  outcomeOf,
  phone,
  ringing,
  T0,
  tablet,
  transfer
} from '../helpers/calls.js'

const NOW = T0 + 5000
const replaces = { callId: 'other', lease: 'the lease of carol' }
const attended = (): CallCommand => ({ ...transfer(phone, carol), replaces })
const then = (state: CallState, ...commands: CallCommand[]) =>
  commands.reduce((before, command) => decide(before, command, NOW).state, state)

t.test('the same request changes nothing, and a blind one is another one', async t => {
  const pending = then(connected(), attended())
  t.equal(outcomeOf(pending, attended()), 'same')
  t.equal(outcomeOf(pending, transfer(phone, carol)), 'transfer_pending')
  t.equal(outcomeOf(then(connected(), transfer(phone, carol)), attended()), 'transfer_pending')
  const done = then(pending, accept(carol))
  t.equal(outcomeOf(done, attended()), 'same')
  t.equal(outcomeOf(done, transfer(phone, carol)), 'call_ended')
})

t.test('both parties and the target see which call is replaced', async t => {
  const { state, events } = decide(connected(), attended(), NOW)
  t.match(viewCall(state, NOW, 'bob').transfer, { toCall: 'other', to: carol })
  const [transferring, incoming] = events
  t.match(transferring?.data, { toCall: 'other' })
  t.match(incoming?.data, { replaces: 'other', transferredBy: phone })
})

t.test(
  'the accept, also without the transferor, makes the other call end, by a deadline that outlives the call',
  async t => {
    for (const before of [then(connected(), attended()), then(connected(), attended(), hangup(phone))]) {
      const done = then(before, accept(carol))
      t.match(done.replaced, [{ callId: 'other', by: phone, to: carol, endsAt: NOW + 2000 }])
      t.equal(deadlineOf(done), NOW + 2000)
      const over = then(done, hangup(carol))
      t.match([over.phase, deadlineOf(over)], ['ended', NOW + 2000])
      const { state, events } = decide(over, { type: 'forgetReplaced', callId: 'other' }, NOW)
      t.match([state.version, deadlineOf(state), events], [over.version, null, []])
      t.same(state.timeline, over.timeline)
      t.equal(outcomeOf(state, { type: 'forgetReplaced', callId: 'other' }), 'same')
    }
    t.equal(then(connected(), transfer(phone, carol), accept(carol)).replaced, undefined, 'a blind one replaces none')
  }
)

t.test('a replaced call ends if the target is in it', async t => {
  const end: CallCommand = { type: 'endReplaced', by: phone, to: laptop }
  const rows: [CallState, CallCommand, string][] = [
    [connected(), end, 'ended: alice ended(transferred); bob/laptop ended(transferred)'],
    [connected(), { ...end, by: laptop, to: phone }, 'ended: alice ended(transferred); bob/laptop ended(transferred)'],
    [connecting(), end, 'ended: alice ended(transferred); bob/laptop ended(transferred)'],
    [connected(), { ...end, to: tablet }, 'same'],
    [connected(), { ...end, to: carol }, 'same'],
    [connected(), { ...end, by: carol }, 'ended: alice ended(hangup); bob/laptop ended(hangup)'],
    [
      then(connected(), transfer(phone), hangup(phone)),
      end,
      'ended: bob/laptop ended(cancelled); carol ended(cancelled)'
    ],
    [ringing(), end, 'same'],
    [ended(), end, 'same']
  ]
  for (const [state, command, outcome] of rows) t.equal(outcomeOf(state, command, NOW), outcome)
  const pending = then(connected(), transfer(laptop, { user: 'dave' }))
  t.match(outcomeOf(pending, end, NOW), /dave ended\(cancelled\)/)
  t.match(then(connected(), end), { reason: 'transferred', endedBy: phone })
})

t.test('the older call goes on, whichever comes first', async t => {
  const [old, young] = [
    { createdAt: 1, callId: 'b' },
    { createdAt: 2, callId: 'a' }
  ]
  const twin = { createdAt: 1, callId: 'c' }
  for (const [one, other] of [
    [old, young],
    [old, twin]
  ] as const) {
    t.same(byAge(one, other), [one, other])
    t.same(byAge(other, one), [one, other])
  }
})
