// The record of a call: what it says of each way to end, and what the server has seen of the sides.
import t from 'tap'
import { Value } from 'typebox/value'
import type { CallCommand } from '../../src/domain/call/command.js'
import { recordOf } from '../../src/domain/call/record.js'
import type { CallState } from '../../src/domain/call/state.js'
import { CallRecord } from '../../src/schemas/call-record.js'
import {
  accept,
  after,
  appeared,
  cancel,
  check,
  create,
  decide,
  describe,
  hangup,
  laptop,
  phone,
  RING_MS,
  reject,
  simple,
  T0,
  tablet,
  trickle
} from '../helpers/calls.js'

/** The record of a call that the last command ends at `now`. */
function recordAfter(commands: readonly CallCommand[], last: CallCommand, now = T0 + 20_000): CallRecord {
  const before = after(...commands)
  const { state } = decide(before, last, now)
  t.equal(state.phase, 'ended')
  const record = recordOf(before, state, now)
  t.ok(Value.Check(CallRecord, record), JSON.stringify([...Value.Errors(CallRecord, record)]))
  return record
}

const candidate = (type: string, ufrag: string) => ({
  candidate: `candidate:1 1 udp 2113937151 192.0.2.1 50000 typ ${type}`,
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: ufrag
})
const NEGOTIATED = [create(), accept(laptop), describe('offer', phone, 'aliceA'), describe('answer', laptop, 'bobA')]
const CONNECTED = [...NEGOTIATED, simple('connected', phone)]

t.test('the record of an ordinary call', async t => {
  t.match(recordAfter(CONNECTED, hangup(laptop)), {
    callId: 'c1',
    caller: { user: 'alice', device: 'phone', resumes: 0, nodeChanges: 0, stats: null },
    callee: { user: 'bob', device: 'laptop' },
    media: 'video',
    metadata: { topic: 'lunch' },
    reason: 'hangup',
    endedBy: laptop,
    createdAt: new Date(T0).toISOString(),
    answeredAt: new Date(T0 + 1000).toISOString(),
    connectedAt: new Date(T0 + 4000).toISOString(),
    endedAt: new Date(T0 + 20_000).toISOString(),
    setupMs: 4000,
    durationMs: 16_000,
    offers: 1,
    iceRestarts: 0,
    missing: null,
    unconfirmed: false,
    relay: null,
    blocked: false
  })
})

t.test('a call that was not answered lacks nothing', async t => {
  for (const [last, reason, by] of [
    [cancel(phone), 'cancelled', phone],
    [reject(laptop, 'user'), 'declined', laptop],
    [{ type: 'busy', user: 'bob' } as const, 'busy', null],
    [check(), 'no_answer', null]
  ] as const) {
    const record = recordAfter([create()], last, T0 + RING_MS)
    t.match(record, { reason, endedBy: by, answeredAt: null, missing: null, callee: { user: 'bob', device: null } })
  }
})

t.test('the step that is missing when a call expires or fails', async t => {
  const late = T0 + 60_000
  t.match(recordAfter([create(), accept(laptop)], check(), late), { reason: 'expired', missing: 'no_offer' })
  t.match(recordAfter(NEGOTIATED.slice(0, 3), check(), late), { reason: 'expired', missing: 'no_answer_sdp' })
  t.match(recordAfter(NEGOTIATED, hangup(phone, 'media_failed')), { missing: 'no_connected', unconfirmed: false })
  t.match(recordAfter(CONNECTED, hangup(phone, 'media_failed')), { reason: 'media_failed', missing: null })
})

t.test('a call that no side has confirmed', async t => {
  const at = T0 + 60_000
  const assumed = decide(after(...NEGOTIATED), check(), at).state
  t.equal(assumed.phase, 'connected')
  const ended = (last: CallCommand) => recordOf(assumed, decide(assumed, last, at + 1).state, at + 1)
  t.match(ended(hangup(phone)), { unconfirmed: true, missing: null, connectedAt: null, durationMs: null })
  t.match(ended(hangup(phone, 'media_failed')), { unconfirmed: true, missing: 'no_connected' })
})

t.test('offers and ICE restarts are counted', async t => {
  const record = recordAfter(
    [
      ...CONNECTED,
      describe('offer', laptop, 'bobA', 2),
      describe('answer', phone, 'aliceA', 2),
      describe('offer', phone, 'aliceB', 3),
      describe('answer', laptop, 'bobB', 3)
    ],
    hangup(phone)
  )
  t.match(record, { offers: 3, iceRestarts: 1 })
})

t.test('the types of candidates in descriptions, batches and candidates that were passed on at once', async t => {
  const offer = describe('offer', phone, 'aliceA')
  const withHost = {
    ...offer.description,
    sdp: `${offer.description.sdp}a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n`
  }
  const commands = [
    create({ offer: withHost, batch: { candidates: [candidate('srflx', 'aliceA')] } }),
    accept(laptop, { answer: describe('answer', laptop, 'bobA').description }),
    trickle(laptop, [candidate('prflx', 'bobA')]),
    { type: 'seen', actor: laptop, batch: { candidates: [candidate('relay', 'bobA'), candidate('relay', 'bobA')] } }
  ] as const
  const record = recordAfter(commands, hangup(phone))
  t.same(record.caller.candidateTypes, ['host', 'srflx'])
  t.same(
    record.callee?.candidateTypes,
    ['relay'],
    'the batch that went out without a commit is seen by its own command'
  )
  const known = after(...commands)
  t.equal(decide(known, commands[3]).state, known, 'a type that is known changes nothing')
})

t.test('the last report of each side, and whether media is relayed', async t => {
  const report = (actor: typeof phone, stats: object) => ({ type: 'connected', actor, stats }) as CallCommand
  const pair = { local: 'host', remote: 'srflx' }
  const commands = [...NEGOTIATED, report(phone, { candidatePair: pair, rttMs: 20 }), report(laptop, { relay: true })]
  const record = recordAfter([...commands, report(phone, { rttMs: 31 })], hangup(phone))
  t.match(record, { caller: { stats: { rttMs: 31 } }, callee: { stats: { relay: true } }, relay: true })
  t.notOk('candidatePair' in (record.caller.stats ?? {}), 'a report replaces the one before')
  t.equal(recordAfter(commands.slice(0, -1), hangup(phone)).relay, false)
  const known = after(...commands)
  const repeated = decide(known, report(laptop, { relay: true }))
  t.equal(repeated.state, known, 'a repeat changes nothing')
  t.same(decide(known, report(laptop, { rttMs: 1 })).events, [], 'no other device receives a report')
})

t.test('resumes and changes of the node, of the device in the call only', async t => {
  const comes = (actor: typeof phone, node: string, isResume = true) => ({
    ...appeared(actor, false),
    connection: { node, isResume }
  })
  const served = { type: 'served', nodes: { caller: 'n1', callee: null } } as const
  const commands = [...CONNECTED, served, comes(phone, 'n1'), comes(phone, 'n2'), comes(tablet, 'n3')] as CallCommand[]
  const record = recordAfter([...commands, comes(laptop, 'n1', false), comes(laptop, 'n2', false)], hangup(phone))
  t.match(record.caller, { resumes: 2, nodeChanges: 1 })
  t.match(record.callee, { resumes: 0, nodeChanges: 1 })
  let state = after(...commands)
  for (let i = 0; i < 300; i++) state = decide(state, comes(phone, `n${i % 2}`)).state
  t.match(state.seen.caller, { resumes: 100, nodeChanges: 100 })
  t.equal(decide(state, comes(phone, 'n9')).state, state, 'from then on nothing is committed')
})

t.test('a record has at most 8 KiB', async t => {
  const id = '\u{1f600}'.repeat(63)
  const commands = [create({ callId: id, actor: { user: id, device: id }, metadata: { text: 'x'.repeat(4080) } })]
  const before = after(...commands)
  const { state } = decide(before, cancel({ user: id, device: id }))
  const stats = { candidatePair: { local: 'relay', remote: 'relay' }, protocol: 'udp', rttMs: 600_000 } as const
  const side = { candidateTypes: ['host', 'srflx', 'prflx', 'relay'], stats, resumes: 100, nodeChanges: 100 } as const
  const full = { ...state, seen: { caller: { ...side, node: id }, callee: { ...side, node: id } } } as CallState
  t.ok(Buffer.byteLength(JSON.stringify(recordOf(before, full, T0))) < 8192)
})
