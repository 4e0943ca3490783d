// A call that an operator starts: what each user may do before and after the first one accepts, and who sees what.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import { OPERATOR } from '../../src/domain/call/operator-call.js'
import { pushesOf } from '../../src/domain/call/push.js'
import { decideStart } from '../../src/domain/call/start-call.js'
import type { CallState } from '../../src/domain/call/state.js'
import { callIn } from '../../src/domain/call/tombstone.js'
import { viewCall } from '../../src/domain/call/view.js'
import type { Endpoint } from '../../src/schemas/common.js'
import {
  accept,
  appeared,
  cancel,
  create,
  decide,
  describe,
  hangup,
  laptop,
  message,
  outcomeOf,
  phone,
  RING_MS,
  reject,
  simple,
  T0,
  tablet,
  trickle
} from '../helpers/calls.js'

const start = {
  callId: 'c1',
  from: 'alice',
  to: 'bob',
  media: null,
  metadata: {},
  ringMs: RING_MS,
  attempt: 1
} as const
const begin = (more: Partial<Parameters<typeof decideStart>[1]> = {}): CallState => {
  const call = callIn(decideStart(null, { ...start, offerer: 'caller', wakes: null, ...more }, T0).state)
  if (call === null) throw new Error('no call')
  return call
}
const starting = begin()
const accepted = decide(starting, accept(phone)).state
const rung = decide(accepted, { type: 'ring', user: 'bob' }).state

const ACTIONS: Readonly<Record<string, (actor: Endpoint) => CallCommand>> = {
  ringing: actor => simple('ringing', actor),
  accept,
  rejectDevice: actor => reject(actor, 'device', ['phone', 'tablet']),
  reject: actor => reject(actor, 'user'),
  hangup,
  cancel,
  hold: actor => simple('hold', actor),
  offer: actor => describe('offer', actor, 'gen1'),
  candidates: actor => trickle(actor, []),
  message: actor => message(actor, 'm1'),
  appeared: actor => appeared(actor, true),
  connected: actor => simple('connected', actor)
}

/** By alice's phone, her tablet, and bob's laptop. */
const ROWS: readonly [state: string, CallState, Readonly<Record<string, readonly [string, string, string]>>][] = [
  [
    'while the first user rings',
    starting,
    {
      ringing: ['ringing', 'ringing', 'call_not_found'],
      accept: [
        'ringing: alice but phone ended(answered_elsewhere)',
        'ringing: alice but tablet ended(answered_elsewhere)',
        'call_not_found'
      ],
      rejectDevice: ['ringing', 'ringing', 'call_not_found'],
      reject: [
        'ended: alice but phone ended(declined_elsewhere)',
        'ended: alice but tablet ended(declined_elsewhere)',
        'call_not_found'
      ],
      hangup: [
        'ended: alice but phone ended(declined_elsewhere)',
        'ended: alice but tablet ended(declined_elsewhere)',
        'call_not_found'
      ],
      cancel: ['wrong_party', 'wrong_party', 'call_not_found'],
      hold: ['wrong_state', 'wrong_state', 'call_not_found'],
      offer: ['wrong_state', 'wrong_state', 'call_not_found'],
      candidates: ['wrong_state', 'wrong_state', 'call_not_found'],
      connected: ['wrong_state', 'wrong_state', 'call_not_found'],
      appeared: ['same: alice/phone incoming', 'same: alice/tablet incoming', 'call_not_found']
    }
  ],
  [
    'after its accept, before the second one rings',
    accepted,
    {
      ringing: ['answered_elsewhere', 'answered_elsewhere', 'call_not_found'],
      accept: ['same', 'answered_elsewhere', 'call_not_found'],
      reject: ['answered_elsewhere', 'answered_elsewhere', 'call_not_found'],
      cancel: ['ended', 'ended: alice/phone ended(cancelled)', 'call_not_found'],
      hangup: ['ended', 'ended: alice/phone ended(cancelled)', 'call_not_found'],
      appeared: ['same', 'same', 'call_not_found']
    }
  ],
  [
    'while the second user rings',
    rung,
    {
      accept: [
        'same',
        'answered_elsewhere',
        'connecting: alice/phone accepted; bob but laptop ended(answered_elsewhere)'
      ],
      ringing: ['answered_elsewhere', 'answered_elsewhere', 'ringing: alice/phone ringing'],
      reject: [
        'answered_elsewhere',
        'answered_elsewhere',
        'ended: alice/phone ended(declined); bob but laptop ended(declined_elsewhere)'
      ],
      cancel: [
        'ended: bob ended(cancelled)',
        'ended: alice/phone ended(cancelled); bob ended(cancelled)',
        'wrong_party'
      ]
    }
  ]
]

for (const [name, state, rows] of ROWS)
  t.test(name, async t => {
    for (const [action, outcomes] of Object.entries(rows))
      for (const [n, actor] of [phone, tablet, laptop].entries())
        t.equal(outcomeOf(state, ACTIONS[action]?.(actor) as CallCommand), outcomes[n], `${action} by ${actor.device}`)
  })

t.test(
  'the first user sees the second one as the caller, on the device operator; the second one sees a call of the first',
  async t => {
    const from = { user: 'bob', device: 'operator' }
    t.match(viewCall(starting, T0, 'alice'), {
      caller: from,
      callee: { user: 'alice', device: null },
      expiresInMs: RING_MS
    })
    t.match(viewCall(accepted, T0, 'alice'), { caller: phone, callee: { user: 'bob', device: null } })
    t.match(viewCall(rung, T0, 'bob'), { caller: phone, callee: { user: 'bob', device: null } })
    t.notOk('callees' in viewCall(accepted, T0, 'alice'))
  }
)

t.test('a repeated start changes nothing, and an id of a user is taken', async t => {
  const command = { ...start, offerer: 'caller', wakes: null } as const
  for (const state of [starting, accepted, rung]) t.equal(decideStart(state, command, T0).state, state)
  t.throws(() => decideStart(decide(null, create(), T0).state, command, T0), { code: 'call_id_taken' })
  t.equal(outcomeOf(starting, create()), 'call_id_taken', 'also the other way round')
  t.equal(starting.creator, OPERATOR)
})

t.test('an operator, a timer and another call end it while the first user rings', async t => {
  t.equal(outcomeOf(starting, { type: 'stop' }), 'ended: alice ended(server)')
  t.equal(outcomeOf(starting, { type: 'busy', user: 'alice' }), 'ended: alice ended(busy)')
  t.equal(outcomeOf(starting, { type: 'busy', user: 'bob' }), 'same')
  t.equal(outcomeOf(starting, { type: 'ring', user: 'bob' }), 'same', 'it is not the turn of the second one')
})

t.test(
  'the offer of the accept is that of a create; an answer, or an offer where the callee makes it, is refused',
  async t => {
    const offer = { ...describe('offer', phone, 'gen1') } as {
      description: NonNullable<Parameters<typeof accept>[1]>['offer'] & object
    }
    const withOffer = accept(phone, { offer: offer.description })
    const next = decide(starting, withOffer).state
    t.match(next, { negotiation: { revision: 1, pendingFrom: 'caller' }, early: { offer: { revision: 1 } } })
    t.equal(outcomeOf(starting, accept(phone, { answer: offer.description })), 'no_offer_pending')
    t.equal(outcomeOf(begin({ offerer: 'callee' }), withOffer), 'wrong_party')
  }
)

t.test(
  'the devices of the first user that were woken learn that it has stopped ringing, but the one that accepted',
  async t => {
    const woken = begin({ wakes: ['phone', 'tablet'] })
    t.match(pushesOf(null, woken, T0), [
      { data: { kind: 'incoming', user: 'alice', from: { user: 'bob', device: 'operator' } } }
    ])
    const after = decide(woken, accept(phone)).state
    t.match(pushesOf(woken, after, T0), [{ data: { kind: 'cancelled', user: 'alice', devices: ['tablet'] } }])
    const next = decide(after, { type: 'ring', user: 'bob', wakes: ['laptop'] }).state
    t.match(pushesOf(after, next, T0), [{ data: { kind: 'incoming', user: 'bob', from: phone } }])
  }
)
