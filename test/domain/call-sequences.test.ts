// Generated command sequences: any device sends any command at any time, also repeatedly. test/helpers/call-fixture.ts checks the
// invariants of a call after each step.
import fc from 'fast-check'
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import { AppError } from '../../src/errors.js'
import type { Endpoint } from '../../src/schemas/common.js'
import { CallFixture } from '../helpers/call-fixture.js'
import {
  accept,
  CAST,
  cancel,
  create,
  describe,
  hangup,
  media,
  message,
  reject,
  simple,
  trickle
} from '../helpers/calls.js'
import { randomRuns } from '../helpers/runs.js'
import { candidate } from '../helpers/sdp.js'

const ALL: readonly Endpoint[] = [...Object.values(CAST), { user: 'bob', device: 'tv' }]

type Step =
  | { readonly kind: 'act'; readonly act: (fixture: CallFixture, nth: number) => CallCommand; readonly name: string }
  | { readonly kind: 'connect' | 'disconnect'; readonly who: Endpoint }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'check' }
  /** An earlier command is repeated: a retry, or one that the network has delayed. */
  | { readonly kind: 'repeat'; readonly back: number }

/** Mostly the two devices in the call: actions of random devices would soon end it. */
const likelyDevice = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(CAST.phone, CAST.laptop) },
  { weight: 1, arbitrary: fc.constantFrom(...ALL) }
)
const anyDevice = fc.constantFrom(...ALL)
/** Each device has its own ufrags, so that a candidate delivered to the wrong side is detected. */
const generation = fc.integer({ min: 1, max: 4 })
const ufragOf = (who: Endpoint, n: number) => `${who.user}${who.device}${n}`
const offerOf = (who: Endpoint, n: number) => describe('offer', who, ufragOf(who, n)).description
const act = (name: string, make: (fixture: CallFixture, nth: number) => CallCommand): Step => ({
  kind: 'act',
  act: make,
  name
})

const registered = (fixture: CallFixture) =>
  [...fixture.devices.values()].filter(({ endpoint }) => endpoint.user === 'bob').map(({ endpoint }) => endpoint.device)

const simpleAct = fc
  .tuple(fc.constantFrom('ringing', 'connected', 'hold', 'resume'), likelyDevice)
  .map(([type, who]) => act(`${type} ${who.device}`, () => simple(type as 'hold', who)))
const messageAct = likelyDevice.map(who => act(`message ${who.device}`, (_, nth) => message(who, `m${nth}`)))
const mediaAct = fc
  .tuple(likelyDevice, fc.boolean())
  .map(([who, audio]) => act(`media ${who.device}`, () => media(who, { audio })))
/** With every second description: a candidate of its generation, one of the next, and one without a ufrag. */
const batchOf = (who: Endpoint, n: number | null, nth: number) =>
  nth % 2 === 0
    ? {}
    : {
        batch: {
          candidates: [n ?? 1, (n ?? 1) + 1, null].map((each, i) =>
            candidate(nth * 10 + i, each === null ? undefined : ufragOf(who, each))
          ),
          end: nth % 3 === 0
        }
      }
const acceptAct = fc.tuple(likelyDevice, fc.option(generation)).map(([who, n]) =>
  act(`accept ${who.device} ${n ?? ''}`, (fixture, nth) => {
    const given = n === null ? {} : { [fixture.state?.offerer === 'callee' ? 'offer' : 'answer']: offerOf(who, n) }
    return accept(who, { ...given, ...batchOf(who, n, nth) })
  })
)
const rejectAct = fc
  .tuple(fc.constantFrom('device', 'device', 'user'), anyDevice)
  .map(([scope, who]) => act(`reject ${who.device}`, fixture => reject(who, scope as 'user', registered(fixture))))
const endAct = fc.oneof(
  anyDevice.map(who => act(`cancel ${who.device}`, () => cancel(who))),
  anyDevice.map(who => act(`hangup ${who.device}`, () => hangup(who))),
  fc.constant(act('stop', () => ({ type: 'stop' })))
)
const describeAct = fc
  .tuple(
    fc.constantFrom('offer', 'answer'),
    likelyDevice,
    generation,
    fc.option(fc.integer({ min: 1, max: 4 }), { freq: 1 })
  )
  .map(([type, who, n, revision]) =>
    act(`${type} ${who.device} ${n}`, (_, nth) => ({
      ...describe(type as 'offer', who, ufragOf(who, n), revision ?? undefined),
      ...batchOf(who, n, nth)
    }))
  )
const trickleAct = fc
  .tuple(likelyDevice, fc.array(fc.option(generation), { maxLength: 4 }), fc.boolean())
  .map(([who, generations, end]) =>
    act(`candidates ${who.device} ${generations}`, (_, nth) => {
      const batch = generations.map((n, i) => candidate(nth * 10 + i, n === null ? undefined : ufragOf(who, n)))
      return trickle(who, batch, end)
    })
  )

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: simpleAct },
  { weight: 4, arbitrary: messageAct },
  { weight: 4, arbitrary: mediaAct },
  { weight: 6, arbitrary: acceptAct },
  { weight: 2, arbitrary: rejectAct },
  { weight: 1, arbitrary: endAct },
  { weight: 20, arbitrary: describeAct },
  { weight: 20, arbitrary: trickleAct },
  { weight: 6, arbitrary: anyDevice.map(who => ({ kind: 'connect' as const, who })) },
  { weight: 4, arbitrary: likelyDevice.map(who => ({ kind: 'disconnect' as const, who })) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 12_000 }).map(ms => ({ kind: 'advance' as const, ms })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'check' as const }) },
  { weight: 6, arbitrary: fc.nat({ max: 30 }).map(back => ({ kind: 'repeat' as const, back })) }
)

/** Most sequences begin with an answered call, so that they reach the later states. */
const answered = act('accept laptop', () => accept(CAST.laptop))
const reported = act('connected phone', () => simple('connected', CAST.phone))
const beginning = fc.constantFrom<Step[]>([], [answered], [answered, reported])
/** By the caller with the create or later, or by the callee. */
type FirstOffer = 'early' | 'late' | 'callee'

const sequences = fc.record({
  first: fc.constantFrom<FirstOffer[]>('early', 'late', 'callee'),
  start: beginning,
  steps: fc.array(step, { maxLength: 60, size: 'max' })
})

const RUNS = randomRuns(250)

function runSteps(first: FirstOffer, steps: readonly Step[]): CallFixture {
  const fixture = new CallFixture()
  for (const who of [CAST.phone, CAST.laptop, CAST.watch]) fixture.connect(who)
  const offer = first === 'early' ? offerOf(CAST.phone, 1) : null
  const given: CallCommand[] = [
    create({ offer, offerer: first === 'callee' ? 'callee' : 'caller', ...batchOf(CAST.phone, 1, steps.length) })
  ]
  fixture.apply(given[0] as CallCommand)
  for (const [nth, each] of steps.entries()) {
    if (each.kind === 'act') {
      const command = each.act(fixture, nth)
      // Candidates that are sent twice are delivered twice, so a repeat would hide whether each is delivered once.
      if (!('batch' in command)) given.push(command)
      const before = JSON.stringify(fixture.state)
      if (fixture.apply(command) instanceof AppError && JSON.stringify(fixture.state) !== before)
        throw new Error('changed')
    } else if (each.kind === 'repeat')
      fixture.apply(given[given.length - 1 - (each.back % given.length)] as CallCommand)
    else if (each.kind === 'connect') fixture.connect(each.who)
    else if (each.kind === 'disconnect') fixture.disconnect(each.who)
    else if (each.kind === 'advance') fixture.advance(each.ms)
    else fixture.check()
    fixture.checkMailboxes()
  }
  return fixture
}

t.test('no sequence of commands breaks an invariant of a call', async t => {
  let finished = 0
  fc.assert(
    fc.property(sequences, ({ first, start, steps }) => {
      const fixture = runSteps(first, [...start, ...steps])
      for (const who of ALL) fixture.disconnect(who)
      fixture.advance(120_000)
      fixture.checkMailboxes()
      fixture.checkEnding()
      finished++
    }),
    { numRuns: RUNS }
  )
  t.equal(finished, RUNS, 'a call without connected devices ends by its deadlines')
})

t.test('the generated sequences reach every state and end reason', async t => {
  const seen = new Set<string>()
  for (const { first, start, steps } of fc.sample(sequences, { numRuns: 500, seed: 1 })) {
    const fixture = runSteps(first, [...start, ...steps])
    for (const { type, data } of [...fixture.devices.values()].flatMap(({ mailbox }) => mailbox)) {
      seen.add(type)
      if (type === 'call.accepted' && 'offer' in data) seen.add('offered by the callee')
    }
    seen.add(String(fixture.state?.reason)).add(String(fixture.state?.phase))
    if ((fixture.state?.negotiation.revision ?? 0) >= 3) seen.add('renegotiated')
    if (fixture.accepted.length > 20) seen.add('trickled')
  }
  const wanted = [
    ...[
      'incoming',
      'ringing',
      'accepted',
      'connected',
      'held',
      'resumed',
      'media_changed',
      'message',
      'peer_away',
      'peer_back',
      'ended'
    ].map(type => `call.${type}`),
    ...['signal.offer', 'signal.answer', 'signal.candidates', 'ringing', 'connecting', 'connected', 'ended'],
    ...['hangup', 'cancelled', 'declined', 'no_answer', 'expired', 'lost', 'renegotiated', 'trickled'],
    'offered by the callee'
  ]
  t.strictSame(
    wanted.filter(each => !seen.has(each)),
    []
  )
})
