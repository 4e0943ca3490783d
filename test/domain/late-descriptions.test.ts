// Descriptions of the connection that a transfer has closed, which arrive after it: bob has left his call with alice to carol.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import { parseDescription } from '../../src/domain/negotiation/sdp.js'
import {
  accept,
  after,
  carol,
  create,
  describe,
  hangup,
  laptop,
  outcomeOf,
  phone,
  simple,
  transfer,
  trickle
} from '../helpers/calls.js'
import { candidate, sdp } from '../helpers/sdp.js'

const attended: CallCommand = { ...transfer(laptop), replaces: { callId: 'other', lease: 'the lease of carol' } }
const WAYS: readonly (readonly [string, ...CallCommand[]])[] = [
  ['a blind transfer', transfer(laptop), accept(carol)],
  ['an attended transfer', attended, accept(carol)],
  ['a transfer whose transferor has left', attended, hangup(laptop), accept(carol)]
]
const TALKING = [
  create(),
  accept(laptop),
  simple('connected', phone),
  describe('offer', phone, 'a1'),
  describe('answer', laptop, 'b1')
]
const RESTARTED = [describe('offer', phone, 'a2'), describe('answer', laptop, 'b2')]

/** Of the same ICE generation as another description, which has another text. */
const renegotiate = (actor: typeof phone, ufrag: string): CallCommand => ({
  type: 'offer',
  actor,
  description: parseDescription(sdp(ufrag, 2))
})

type Row = readonly [name: string, before: CallCommand[], late: CallCommand, outcome: string]

for (const [way, ...swap] of WAYS)
  t.test(`after ${way}`, async t => {
    const table = (rows: readonly Row[], first: readonly CallCommand[] = []) => {
      for (const [name, before, late, outcome] of rows)
        t.equal(outcomeOf(after(...TALKING, ...before, ...swap, ...first), late), outcome, name)
    }
    const late: readonly Row[] = [
      ['an offer that restarts no ICE', [], renegotiate(phone, 'a1'), 'stale_revision'],
      ['an offer that restarts ICE, with its revision', [], describe('offer', phone, 'a2', 2), 'stale_revision'],
      ['an offer of an older ICE generation', RESTARTED, renegotiate(phone, 'a1'), 'stale_revision'],
      [
        'an offer after another one',
        [RESTARTED[0] as CallCommand],
        describe('offer', phone, 'a3', 3),
        'stale_revision'
      ],
      ['candidates of an older ICE generation', RESTARTED, trickle(phone, [candidate(1, 'a1')]), 'stale_candidate']
    ]
    table(late)
    table(late, [describe('offer', phone, 'a9')])
    table([
      ['the first offer', [], describe('offer', phone, 'a9'), 'connecting: carol/pad offer'],
      ['the first offer, with its revision', [], describe('offer', phone, 'a9', 3), 'connecting: carol/pad offer']
    ])
  })

t.test('an answer that may be one to an offer of the transferor has to name its revision', async t => {
  const target = { ...transfer(phone), to: { user: 'carol', device: null } }
  const swapped = (...before: CallCommand[]) =>
    after(...TALKING, ...before, target, accept(carol, { offer: parseDescription(sdp('c1')) }))
  const unanswered = swapped(describe('offer', phone, 'a2'))
  t.equal(outcomeOf(unanswered, describe('answer', laptop, 'b2')), 'revision_required')
  t.equal(outcomeOf(unanswered, describe('answer', laptop, 'b2', 2)), 'stale_revision')
  t.equal(outcomeOf(unanswered, describe('answer', laptop, 'b9', 4)), 'connecting: carol/pad answer')
  t.equal(outcomeOf(swapped(), describe('answer', laptop, 'b9')), 'connecting: carol/pad answer')
  t.equal(outcomeOf(swapped(), describe('answer', laptop, 'b1')), 'stale_revision', 'one of before')
})
