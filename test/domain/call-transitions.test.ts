// Every action of every device in every phase. A row is
// [action, result for alice's phone, her tablet, bob's laptop (which answers), his watch]; mallory always gets call_not_found.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallState } from '../../src/domain/call/state.js'
import type { Endpoint } from '../../src/schemas/common.js'
import {
  accept,
  after,
  appeared,
  attempt,
  CAST,
  cancel,
  connected,
  connecting,
  create,
  describe,
  ended,
  hangup,
  laptop,
  media,
  message,
  outcomeOf,
  phone,
  reject,
  ringing,
  simple,
  trickle
} from '../helpers/calls.js'
import { candidate } from '../helpers/sdp.js'

const ACTIONS: Record<string, (actor: Endpoint) => CallCommand> = {
  ringing: actor => simple('ringing', actor),
  accept,
  connected: actor => simple('connected', actor),
  hold: actor => simple('hold', actor),
  resume: actor => simple('resume', actor),
  cancel,
  rejectDevice: actor => reject(actor, 'device'),
  rejectUser: actor => reject(actor, 'user'),
  hangup: actor => hangup(actor),
  mediaFailed: actor => hangup(actor, 'media_failed'),
  offer: actor => describe('offer', actor, 'gen1'),
  answer: actor => describe('answer', actor, 'gen1'),
  media: actor => media(actor, { audio: false }),
  message: actor => message(actor, 'm1'),
  candidates: actor => trickle(actor, [candidate(1)]),
  appeared: actor => appeared(actor, true),
  cameBack: actor => appeared(actor, false)
}

type Row = readonly [action: string, phone: string, tablet: string, laptop: string, watch: string]

const over = 'call_ended'
const gone = 'same'
const MUTE: Row = ['appeared', 'same', 'same', 'same', 'same']
const BACK: Row = ['cameBack', 'same', 'same', 'same', 'same']

const RINGING: Row[] = [
  ['ringing', 'wrong_party', 'wrong_party', 'ringing: alice ringing', 'ringing: alice ringing'],
  [
    'accept',
    'wrong_party',
    'wrong_party',
    'connecting: alice accepted; bob but laptop ended(answered_elsewhere)',
    'connecting: alice accepted; bob but watch ended(answered_elsewhere)'
  ],
  ['connected', 'wrong_state', 'other_device', 'wrong_state', 'wrong_state'],
  ['hold', 'wrong_state', 'other_device', 'wrong_state', 'wrong_state'],
  ['resume', 'wrong_state', 'other_device', 'wrong_state', 'wrong_state'],
  [
    'cancel',
    'ended: alice but phone ended(cancelled); bob ended(cancelled)',
    'ended: alice but tablet ended(cancelled); bob ended(cancelled)',
    'wrong_party',
    'wrong_party'
  ],
  ['rejectDevice', 'wrong_party', 'wrong_party', 'ringing', 'ringing'],
  [
    'rejectUser',
    'wrong_party',
    'wrong_party',
    'ended: alice ended(declined); bob but laptop ended(declined_elsewhere)',
    'ended: alice ended(declined); bob but watch ended(declined_elsewhere)'
  ],
  ...(['hangup', 'mediaFailed'] as const).map(
    (action): Row => [
      action,
      'ended: alice but phone ended(cancelled); bob ended(cancelled)',
      'ended: alice but tablet ended(cancelled); bob ended(cancelled)',
      'ended: alice ended(declined); bob but laptop ended(declined_elsewhere)',
      'ended: alice ended(declined); bob but watch ended(declined_elsewhere)'
    ]
  ),
  ['offer', 'wrong_state', 'other_device', 'wrong_state', 'wrong_state'],
  ['answer', 'wrong_state', 'other_device', 'wrong_state', 'wrong_state'],
  ['media', 'wrong_state', 'other_device', 'wrong_state', 'wrong_state'],
  ['message', 'ringing: bob message', 'other_device', 'ringing: alice/phone message', 'ringing: alice/phone message'],
  ['candidates', 'ringing', 'other_device', 'wrong_state', 'wrong_state'],
  ['appeared', 'same', 'same', 'same: bob/laptop incoming', 'same: bob/watch incoming'],
  BACK
]

const CONNECTING: Row[] = [
  ['ringing', 'wrong_party', 'wrong_party', 'wrong_state', 'wrong_state'],
  ['accept', 'wrong_party', 'wrong_party', 'same', 'answered_elsewhere'],
  [
    'connected',
    'connected: bob/laptop connected; alice but phone connected',
    'other_device',
    'connected: alice connected',
    'other_device'
  ],
  ['hold', 'wrong_state', 'other_device', 'wrong_state', 'other_device'],
  ['resume', 'wrong_state', 'other_device', 'wrong_state', 'other_device'],
  [
    'cancel',
    'ended: alice but phone ended(cancelled); bob/laptop ended(cancelled)',
    'ended: alice but tablet ended(cancelled); bob/laptop ended(cancelled)',
    'wrong_party',
    'wrong_party'
  ],
  ['rejectDevice', 'wrong_party', 'wrong_party', 'ended: alice ended(declined)', 'answered_elsewhere'],
  ['rejectUser', 'wrong_party', 'wrong_party', 'ended: alice ended(declined)', 'answered_elsewhere'],
  [
    'hangup',
    'ended: alice but phone ended(hangup); bob/laptop ended(hangup)',
    'ended: alice but tablet ended(hangup); bob/laptop ended(hangup)',
    'ended: alice ended(hangup)',
    'ended: alice ended(hangup); bob/laptop ended(hangup)'
  ],
  [
    'mediaFailed',
    'ended: alice but phone ended(media_failed); bob/laptop ended(media_failed)',
    'ended: alice but tablet ended(media_failed); bob/laptop ended(media_failed)',
    'ended: alice ended(media_failed)',
    'ended: alice ended(media_failed); bob/laptop ended(media_failed)'
  ],
  ['offer', 'connecting: bob/laptop offer', 'other_device', 'wrong_party', 'other_device'],
  ['answer', 'no_offer_pending', 'other_device', 'no_offer_pending', 'other_device'],
  ['media', 'connecting: bob/laptop media_changed', 'other_device', 'connecting: alice media_changed', 'other_device'],
  ['message', 'connecting: bob/laptop message', 'other_device', 'connecting: alice/phone message', 'other_device'],
  ['candidates', 'connecting', 'other_device', 'connecting', 'other_device'],
  MUTE,
  BACK
]

const CONNECTED: Row[] = [
  ['ringing', 'wrong_party', 'wrong_party', 'wrong_state', 'wrong_state'],
  ['accept', 'wrong_party', 'wrong_party', 'same', 'answered_elsewhere'],
  ['connected', 'same', 'other_device', 'same', 'other_device'],
  ['hold', 'connected: bob/laptop held', 'other_device', 'connected: alice held', 'other_device'],
  ['resume', 'same', 'other_device', 'same', 'other_device'],
  ['cancel', 'wrong_state', 'wrong_state', 'wrong_party', 'wrong_party'],
  ['rejectDevice', 'wrong_party', 'wrong_party', 'wrong_state', 'wrong_state'],
  ['rejectUser', 'wrong_party', 'wrong_party', 'wrong_state', 'wrong_state'],
  [
    'hangup',
    'ended: alice but phone ended(hangup); bob/laptop ended(hangup)',
    'ended: alice but tablet ended(hangup); bob/laptop ended(hangup)',
    'ended: alice ended(hangup)',
    'ended: alice ended(hangup); bob/laptop ended(hangup)'
  ],
  [
    'mediaFailed',
    'ended: alice but phone ended(media_failed); bob/laptop ended(media_failed)',
    'ended: alice but tablet ended(media_failed); bob/laptop ended(media_failed)',
    'ended: alice ended(media_failed)',
    'ended: alice ended(media_failed); bob/laptop ended(media_failed)'
  ],
  ['offer', 'connected: bob/laptop offer', 'other_device', 'wrong_party', 'other_device'],
  ['answer', 'no_offer_pending', 'other_device', 'no_offer_pending', 'other_device'],
  ['media', 'connected: bob/laptop media_changed', 'other_device', 'connected: alice media_changed', 'other_device'],
  ['message', 'connected: bob/laptop message', 'other_device', 'connected: alice/phone message', 'other_device'],
  ['candidates', 'connected', 'other_device', 'connected', 'other_device'],
  MUTE,
  BACK
]

const ENDED: Row[] = [
  ['ringing', 'wrong_party', 'wrong_party', over, over],
  ['accept', 'wrong_party', 'wrong_party', over, over],
  ['connected', over, over, over, over],
  ['hold', over, over, over, over],
  ['resume', over, over, over, over],
  ['cancel', gone, gone, 'wrong_party', 'wrong_party'],
  ['rejectDevice', 'wrong_party', 'wrong_party', gone, gone],
  ['rejectUser', 'wrong_party', 'wrong_party', gone, gone],
  ['hangup', gone, gone, gone, gone],
  ['mediaFailed', gone, gone, gone, gone],
  ['offer', over, over, over, over],
  ['answer', over, over, over, over],
  ['media', over, over, over, over],
  ['message', over, over, over, over],
  ['candidates', over, over, over, over],
  MUTE,
  BACK
]

const TABLES: [phase: string, state: CallState, rows: Row[]][] = [
  ['ringing', ringing(), RINGING],
  ['connecting', connecting(), CONNECTING],
  ['connected', connected(), CONNECTED],
  ['ended', ended(), ENDED]
]

for (const [phase, state, rows] of TABLES) {
  t.test(`each device's actions while the call is ${phase}`, async t => {
    t.strictSame(rows.map(([action]) => action).sort(), Object.keys(ACTIONS).sort(), 'no action is left out')
    const before = JSON.stringify(state)
    for (const [action, ...outcomes] of rows) {
      const command = ACTIONS[action] as (actor: Endpoint) => CallCommand
      ;['phone', 'tablet', 'laptop', 'watch'].forEach((who, i) => {
        const actor = CAST[who as keyof typeof CAST]
        t.equal(outcomeOf(state, command(actor)), outcomes[i], `${phase}, ${action} by ${who}`)
      })
      t.equal(outcomeOf(state, command(CAST.mallory)), 'call_not_found', `${phase}, ${action} by a stranger`)
    }
    t.equal(JSON.stringify(state), before, 'the state that was given is untouched')
  })
}

t.test('every action on a call that does not exist is refused with call_not_found', async t => {
  for (const [action, command] of Object.entries(ACTIONS)) {
    t.equal(outcomeOf(null, command(phone)), 'call_not_found', action)
  }
})

t.test('every conflict carries the current state of the call', async t => {
  for (const [, state] of TABLES) {
    for (const command of Object.values(ACTIONS)) {
      for (const actor of [phone, CAST.tablet, laptop, CAST.watch]) {
        const outcome = attempt(state, command(actor), state.createdAt)
        if (!(outcome instanceof Error)) continue
        t.match(outcome.extra, { callId: 'c1', currentState: state.phase, version: state.version })
        t.equal(outcome.extra.reason, state.reason ?? undefined)
      }
    }
  }
})

t.test('a repeated action changes nothing', async t => {
  const states: [string, CallState][] = [
    ['ringing', ringing()],
    ['connecting', connecting()],
    ['connected', connected()],
    ['offered', after(create(), accept(laptop), describe('offer', phone, 'gen0'))]
  ]
  // A candidate is no state: a second one is sent on as it comes, and means nothing to ICE.
  const repeatable = Object.entries(ACTIONS).filter(([action]) => !['candidates', 'appeared'].includes(action))
  for (const [phase, state] of states) {
    for (const [action, command] of repeatable) {
      for (const [who, actor] of Object.entries(CAST)) {
        const first = attempt(state, command(actor), state.createdAt + 5000)
        if (first instanceof Error) continue
        t.equal(outcomeOf(first.state, command(actor)), 'same', `${action} by ${who}, twice, while ${phase}`)
      }
    }
  }
})
