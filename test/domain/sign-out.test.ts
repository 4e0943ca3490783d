// What a call does when a user, or one of their devices, is signed out.
import t from 'tap'
import { commandOfSignOut } from '../../src/domain/call/sign-out.js'
import type { CallState } from '../../src/domain/call/state.js'
import { viewCall } from '../../src/domain/call/view.js'
import {
  after,
  carol,
  connected,
  create,
  decide,
  ended,
  hangup,
  phone,
  reject,
  ringing,
  T0,
  transferorLeft,
  transferring
} from '../helpers/calls.js'

const [BOB, CAROL] = [
  ['laptop', 'watch'],
  ['pad', 'tv']
]
const several = (isWaiting: boolean) =>
  ringing({
    callees: ['bob', 'carol'].map((user, i) => ({ user, ringMs: 30_000, isWaiting: isWaiting && i === 1 }))
  })

/** The outcome of a sign-out: whether the device hangs up or its user stops ringing, then the phase and the reason of the call. */
const outcomeOf = (state: CallState, user: string, device: string | null, others: readonly string[] = []) => {
  const command = commandOfSignOut(state, { user, device, others })
  if (command === null) return 'nothing'
  const { phase, reason, transfer } = decide(state, command, T0 + 6000).state
  const isTransferred = transfer === null || phase === 'ended' ? '' : ', transfer rings'
  return `${command.type}: ${phase}${reason === null ? '' : ` ${reason}`}${isTransferred}`
}

type Row = readonly [name: string, outcome: string, expected: string]

t.test('a signed-out device hangs up, and a user with no other device stops ringing', async t => {
  const rows: readonly Row[] = [
    ['the calling device', outcomeOf(ringing(), 'alice', 'phone', ['tablet']), 'hangup: ended cancelled'],
    ['another device of the caller', outcomeOf(ringing(), 'alice', 'tablet', ['phone']), 'nothing'],
    ['the caller', outcomeOf(ringing(), 'alice', null), 'hangup: ended cancelled'],
    ['one of two that ring', outcomeOf(ringing(), 'bob', 'watch', ['laptop']), 'nothing'],
    ['the last that rings', outcomeOf(ringing(), 'bob', 'watch'), 'unreachable: ended no_answer'],
    [
      'the last that has not declined',
      outcomeOf(after(create(), reject({ user: 'bob', device: 'laptop' }, 'device', BOB)), 'bob', 'watch', ['laptop']),
      'unreachable: ended no_answer'
    ],
    ['the called user', outcomeOf(ringing(), 'bob', null), 'unreachable: ended no_answer'],
    [
      'the named device',
      outcomeOf(ringing({ device: 'watch' }), 'bob', 'watch', ['laptop']),
      'unreachable: ended no_answer'
    ],
    ['a device that is not named', outcomeOf(ringing({ device: 'watch' }), 'bob', 'laptop', []), 'nothing'],
    ['one of two users', outcomeOf(several(false), 'bob', null), 'unreachable: ringing'],
    ['the first of a sequence', outcomeOf(several(true), 'bob', null), 'unreachable: ringing'],
    ['a user who waits', outcomeOf(several(true), 'carol', null), 'unreachable: ringing'],
    ['a user who blocks the caller', outcomeOf(ringing({ isMuted: true }), 'bob', null), 'unreachable: ringing'],
    ['a party', outcomeOf(connected(), 'bob', 'laptop', ['watch']), 'hangup: ended hangup'],
    ['another device of a party', outcomeOf(connected(), 'bob', 'watch', ['laptop']), 'nothing'],
    ['the last one but the party', outcomeOf(connected(), 'bob', 'watch'), 'unreachable: connected'],
    ['a stranger', outcomeOf(connected(), 'mallory', null), 'nothing'],
    ['of a call that has ended', outcomeOf(ended(), 'bob', null), 'hangup: ended hangup']
  ]
  for (const [name, outcome, expected] of rows) t.equal(outcome, expected, name)
})

t.test('neither the caller nor the user learns that the devices were signed out', t => {
  const { state, events } = decide(ringing(), { type: 'unreachable', user: 'bob' })
  t.match(
    events.map(({ type, data }) => [type, data.reason, data.endedBy]),
    [
      ['call.ended', 'no_answer', null],
      ['call.ended', 'no_answer', null]
    ]
  )
  for (const user of ['alice', 'bob']) t.match(viewCall(state, T0, user), { reason: 'no_answer', endedBy: null })
  t.end()
})

t.test('the target of a transfer stops ringing, and a transferor leaves it', async t => {
  const rows: readonly Row[] = [
    ['the target', outcomeOf(transferring(), 'carol', null), 'unreachable: connected'],
    ['one device of the target', outcomeOf(transferring(), 'carol', 'tv', ['pad']), 'nothing'],
    ['the last device of the target', outcomeOf(transferring(), 'carol', 'tv'), 'unreachable: connected'],
    ['the target that is left alone', outcomeOf(transferorLeft(), 'carol', null), 'unreachable: ended no_answer'],
    ['the transferor', outcomeOf(transferring(), 'alice', null), 'hangup: ringing, transfer rings'],
    ['the transferee', outcomeOf(transferring(), 'bob', null), 'hangup: ended hangup']
  ]
  for (const [name, outcome, expected] of rows) t.equal(outcome, expected, name)
  const declined = transferring(reject(carol, 'device', CAROL))
  t.equal(outcomeOf(declined, 'carol', 'tv', ['pad']), 'unreachable: connected', 'the pad has declined')
  const command = commandOfSignOut(transferring(), { user: 'carol', device: null, others: [] })
  const { events } = decide(transferring(), command ?? hangup(phone), T0 + 6000)
  t.match(
    events.map(({ type, data }) => [type, data.reason]),
    [
      ['call.ended', 'no_answer'],
      ['call.transfer_failed', 'no_answer'],
      ['call.transfer_failed', 'no_answer']
    ]
  )
})
