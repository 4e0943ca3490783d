// The rules of a transfer: alice transfers her call with bob to carol, whose devices are a pad and a tv.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import { decideCall } from '../../src/domain/call/decide-call.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import { viewCall } from '../../src/domain/call/view.js'
import type { AppError } from '../../src/errors.js'
import {
  AWAY_MS,
  accept,
  after,
  appeared,
  CONNECT_MS,
  cancel,
  cancelTransfer,
  carol,
  check,
  connected,
  connecting,
  create,
  decide,
  describe,
  ended,
  GRACE_MS,
  hangup,
  laptop,
  mallory,
  media,
  message,
  outcomeOf,
  phone,
  RING_MS,
  reject,
  ringing,
  simple,
  T0,
  tablet,
  transfer,
  transferorLeft,
  transferred,
  transferring,
  trickle,
  tv,
  watch
} from '../helpers/calls.js'
import { candidate } from '../helpers/sdp.js'

const DEVICES = ['pad', 'tv']
/** The instant after the last command of `transferring`. */
const NOW = T0 + 5000
const LATE = T0 + 3000 + RING_MS

type Row = readonly [state: CallState, command: CallCommand, outcome: string, now?: number]

const table = (name: string, rows: readonly Row[]) =>
  t.test(name, async t => {
    for (const [state, command, outcome, now = NOW] of rows) {
      const actor = 'actor' in command ? command.actor.device : 'server'
      t.equal(outcomeOf(state, command, now), outcome, `${state.phase} ${state.version}: ${command.type} by ${actor}`)
    }
  })

table('which transfers begin', [
  [connected(), transfer(phone), 'connected: bob/laptop transferring; carol incoming'],
  [connected(), transfer(laptop), 'connected: alice transferring; carol incoming'],
  [connected(), transfer(phone, carol), 'connected: bob/laptop transferring; carol/pad incoming'],
  [connected(), transfer(phone, { user: 'carol' }, true), 'connected: bob/laptop transferring'],
  [connected(), transfer(tablet), 'other_device'],
  [connected(), transfer(mallory), 'call_not_found'],
  [connected(), transfer(phone, { user: 'bob' }), 'invalid_request'],
  [ringing(), transfer(phone), 'wrong_state'],
  [connecting(), transfer(phone), 'wrong_state'],
  [ended(), transfer(phone), 'call_ended'],
  [{ ...connected(), transfers: 8 }, transfer(phone), 'transfer_limit'],
  [transferring(), transfer(phone), 'same'],
  [transferring(), transfer(phone, carol), 'transfer_pending'],
  [transferring(), transfer(phone, { user: 'dave' }), 'transfer_pending'],
  [transferring(), transfer(laptop), 'transfer_pending'],
  [transferring(), transfer(carol, { user: 'dave' }), 'wrong_state'],
  [transferred(), transfer(phone), 'same'],
  [transferred(), transfer(phone, { user: 'dave' }), 'call_ended'],
  [transferred(), transfer(laptop, { user: 'alice' }), 'wrong_state']
])

table('what the target may do', [
  [transferring(), simple('ringing', carol), 'connected: alice ringing; bob/laptop ringing'],
  [transferring(simple('ringing', carol)), simple('ringing', tv), 'same'],
  [
    transferring(),
    accept(carol),
    'connecting: alice ended(transferred); bob/laptop transferred; carol but pad ended(answered_elsewhere)'
  ],
  [
    transferring(),
    reject(carol, 'user'),
    'connected: carol but pad ended(declined_elsewhere); alice transfer_failed; bob/laptop transfer_failed'
  ],
  [
    transferring(),
    hangup(carol),
    'connected: carol but pad ended(declined_elsewhere); alice transfer_failed; bob/laptop transfer_failed'
  ],
  [transferring(), reject(carol, 'device', DEVICES), 'connected'],
  [
    transferring(reject(carol, 'device', DEVICES)),
    reject(tv, 'device', DEVICES),
    'connected: carol but pad tv ended(declined_elsewhere); alice transfer_failed; bob/laptop transfer_failed'
  ],
  [transferring(), cancel(carol), 'wrong_party'],
  [transferring(), cancelTransfer(carol), 'wrong_party'],
  [transferring(), message(carol, 'm1'), 'wrong_state'],
  [transferring(), media(carol, { audio: false }), 'wrong_state'],
  [transferring(), simple('hold', carol), 'wrong_state'],
  [transferring(), trickle(carol, [candidate(1, 'carol1')]), 'wrong_state'],
  [transferring(), appeared(carol, true), 'same: carol/pad incoming'],
  [transferring(), appeared(carol, false), 'same'],
  [after(create(), accept(laptop), simple('connected', phone), transfer(phone, tv)), accept(carol), 'other_device'],
  [
    after(create(), accept(laptop), simple('connected', phone), transfer(phone, tv)),
    simple('ringing', carol),
    'other_device'
  ],
  [transferred(), accept(carol), 'same'],
  [transferred(), accept(tv), 'answered_elsewhere'],
  [transferring(cancelTransfer(phone)), accept(carol), 'call_ended']
])

table('how a transfer fails, and the call goes on', [
  [
    transferring(),
    cancelTransfer(phone),
    'connected: carol ended(cancelled); alice but phone transfer_failed; bob/laptop transfer_failed'
  ],
  [transferring(), cancelTransfer(laptop), 'wrong_party'],
  [transferring(), cancelTransfer(mallory), 'call_not_found'],
  [connected(), cancelTransfer(phone), 'same'],
  [transferred(), cancelTransfer(phone), 'same'],
  [
    transferring(),
    { type: 'busy', user: 'carol' },
    'connected: carol ended(busy); alice transfer_failed; bob/laptop transfer_failed'
  ],
  [
    transferring(),
    check(),
    'connected: carol ended(no_answer); alice transfer_failed; bob/laptop transfer_failed',
    LATE
  ]
])

table('who leaves while the target rings', [
  [transferring(), hangup(phone), 'ringing: alice but phone ended(hangup); bob/laptop transferring'],
  [transferring(), hangup(tablet), 'ringing: alice but tablet ended(hangup); bob/laptop transferring'],
  [transferring(), hangup(laptop), 'ended: alice ended(hangup); carol ended(cancelled)'],
  [transferring(), check(NOW - GRACE_MS, null), 'ringing: alice ended(lost); bob/laptop transferring'],
  [
    transferring(),
    check(null, NOW - GRACE_MS),
    'ended: alice ended(lost); bob/laptop ended(lost); carol ended(cancelled)'
  ],
  [
    transferring(),
    check(NOW - GRACE_MS, NOW - GRACE_MS),
    'ended: alice ended(lost); bob/laptop ended(lost); carol ended(cancelled)'
  ],
  [transferring(), check(NOW - AWAY_MS, null), 'connected: bob/laptop peer_away'],
  [transferorLeft(), hangup(phone), 'same'],
  [transferorLeft(), simple('hold', phone), 'call_ended'],
  [transferorLeft(), accept(carol), 'connecting: bob/laptop transferred; carol but pad ended(answered_elsewhere)'],
  [
    transferorLeft(),
    reject(carol, 'user'),
    'ended: bob/laptop ended(declined); carol but pad ended(declined_elsewhere)'
  ],
  [transferorLeft(), { type: 'busy', user: 'carol' }, 'ended: bob/laptop ended(busy); carol ended(busy)'],
  [transferorLeft(), check(), 'ended: bob/laptop ended(no_answer); carol ended(no_answer)', LATE],
  [transferorLeft(), hangup(laptop), 'ended: carol ended(cancelled)'],
  [transferorLeft(), simple('ringing', tv), 'ringing: bob/laptop ringing']
])

table('after the transfer', [
  [transferred(), describe('offer', laptop, 'bob2'), 'wrong_party'],
  [transferred(), describe('answer', laptop, 'bob2'), 'no_offer_pending'],
  [transferred(), describe('offer', carol, 'carol1'), 'connecting: bob/laptop offer'],
  [transferred(), trickle(laptop, [candidate(1, 'bob1')]), 'stale_candidate'],
  [transferred(), trickle(phone, [candidate(1, 'alice1')]), 'call_ended'],
  [transferred(), simple('connected', carol), 'connected: bob/laptop connected'],
  [transferred(), hangup(carol), 'ended: bob/laptop ended(hangup)'],
  [transferred(), hangup(watch), 'ended: bob/laptop ended(hangup); carol/pad ended(hangup)'],
  [transferred(), check(), 'ended: bob/laptop ended(expired); carol/pad ended(expired)', T0 + 4000 + CONNECT_MS],
  [
    transferred(simple('connected', carol)),
    transfer(carol, { user: 'alice' }),
    'connected: bob/laptop transferring; alice incoming'
  ]
])

t.test('an old description of the party that stays is refused', async t => {
  const byBob = after(
    create(),
    accept(laptop),
    simple('connected', phone),
    describe('offer', phone, 'alice1'),
    describe('answer', laptop, 'bob1'),
    transfer(laptop),
    accept(carol)
  )
  t.equal(outcomeOf(byBob, describe('offer', phone, 'alice1')), 'stale_revision')
  t.equal(outcomeOf(byBob, describe('offer', phone, 'alice2')), 'connecting: carol/pad offer')
})

t.test('what each user sees', async t => {
  const at = (ms: number) => new Date(T0 + ms).toISOString()
  const pending = transferring(simple('hold', phone))
  const transfer = { by: 'caller', to: { user: 'carol', device: null }, expiresInMs: RING_MS - 2000 }
  t.match(viewCall(pending, NOW, 'alice'), { state: 'connected', callee: laptop, transfer, held: { caller: true } })
  const incoming = viewCall(pending, NOW, 'carol')
  t.match(incoming, { state: 'ringing', caller: laptop, callee: { user: 'carol', device: null }, createdAt: at(3000) })
  t.match(incoming, { answeredAt: null, connectedAt: null, setupMs: null, held: { caller: false, callee: false } })
  t.notOk('transfer' in incoming)

  const done = transferred()
  t.match(viewCall(done, NOW, 'alice'), {
    state: 'ended',
    reason: 'transferred',
    endedBy: phone,
    caller: phone,
    callee: laptop
  })
  const first = { createdAt: at(0), answeredAt: at(1000), connectedAt: at(2000) }
  for (const user of ['bob', 'carol'])
    t.match(viewCall(done, NOW, user), { state: 'connecting', caller: laptop, callee: carol, ...first })
  const failed = viewCall(transferring(reject(carol, 'user')), NOW, 'carol')
  t.match(failed, { state: 'ended', reason: 'declined', createdAt: at(3000), answeredAt: null })
  t.match(viewCall(transferring(hangup(laptop)), NOW, 'carol'), {
    reason: 'cancelled',
    endedBy: laptop,
    durationMs: null
  })
  t.match(viewCall(transferorLeft(), NOW, 'bob'), {
    state: 'ringing',
    caller: laptop,
    callee: { user: 'carol', device: null }
  })
})

t.test('the report of media after a transfer is one in the timeline', async t => {
  const { state } = decide(transferred(), simple('connected', carol), NOW)
  t.match(viewTimeline(state, 'bob').entries.at(-1), { type: 'connected', by: carol, unconfirmed: undefined })
})

t.test('a transfer has a deadline, and releases the leases of those who leave', async t => {
  t.equal(deadlineOf(transferring()), Math.min(T0 + 3000 + RING_MS, deadlineOf(connected()) ?? 0))
  t.equal(deadlineOf(transferorLeft()), T0 + 3000 + RING_MS)
  t.equal(deadlineOf(transferring(hangup(laptop))), null)
  const releases = (state: CallState, command: CallCommand) => decide(state, command, NOW).releases ?? []
  t.same(releases(transferring(), accept(carol)), ['alice'])
  t.same(releases(transferring(), reject(carol, 'user')), ['carol'])
  t.same(releases(transferring(), hangup(phone)), ['alice'])
  t.same(releases(transferorLeft(), accept(carol)), [])
})

t.test('a closed transfer is not begun: the next one has another number', async t => {
  const closed = decide(connected(), { type: 'closeTransfers', upTo: 1 }).state
  t.equal(closed.version, connected().version + 1)
  t.equal(decide(closed, { type: 'closeTransfers', upTo: 1 }).state, closed)
  t.equal(decide(closed, transfer(phone)).state.transfer?.number, 2)
})

t.test('a conflict tells the target that the call rings, and a party that it is connected', async t => {
  const onTv = decide(connected(), transfer(phone, { user: 'carol', device: 'tv' }), NOW).state
  const refused = (state: CallState, command: CallCommand) => {
    try {
      decideCall(state, command, NOW)
    } catch (error) {
      return (error as AppError).extra?.currentState
    }
    return null
  }
  for (const command of [message(carol, 'm1'), cancel(carol), cancelTransfer(carol), simple('ringing', carol)]) {
    t.equal(refused(onTv, command), 'ringing', command.type)
  }
  t.equal(refused(onTv, transfer(phone, { user: 'dave' })), 'connected')
})
