// The timeline of a call: a line for each change, bounded, and without the callee's devices that the caller must not learn.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallState, Side } from '../../src/domain/call/state.js'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import {
  AWAY_MS,
  accept,
  after,
  cancel,
  check,
  connected,
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
  trickle,
  watch
} from '../helpers/calls.js'
import { candidates } from '../helpers/sdp.js'

/** `<seconds> <type> <user>/<device> <details>`, as the side sees it. */
function linesOf(state: CallState, viewer: Side): string[] {
  const user = viewer === 'caller' ? 'alice' : 'bob'
  return viewTimeline(state, user).entries.map(({ at, type, by, ...details }) => {
    const seconds = (Date.parse(at) - T0) / 1000
    const who = by === null ? 'server' : `${by.user}/${by.device}`
    return [seconds, type, who, ...Object.values(details)].join(' ')
  })
}

t.test('candidates that a new description leaves waiting are stale', async t => {
  const waiting = after(
    create(),
    accept(laptop),
    trickle(phone, [...candidates(2, 'aliceB'), ...candidates(1, 'aliceA', 3)])
  )
  const offered = decide(waiting, describe('offer', phone, 'aliceA'), T0 + 3000).state
  t.strictSame(linesOf(offered, 'caller').slice(2), [
    '2 candidates_held alice/phone 3',
    '3 offer alice/phone 1',
    '3 candidates_stale alice/phone 2'
  ])
  const answered = decide(offered, describe('answer', laptop, 'bobA'), T0 + 4000).state
  const restarted = decide(answered, describe('offer', phone, 'aliceB'), T0 + 5000).state
  t.strictSame(
    linesOf(restarted, 'caller').slice(5),
    ['4 answer bob/laptop 1', '5 offer alice/phone 2'],
    'they had their description'
  )
})

t.test('each change of a call has a line, in order', async t => {
  const state = after(
    create(),
    simple('ringing', watch),
    accept(laptop),
    trickle(phone, candidates(2, 'aliceA')),
    trickle(phone, candidates(1, 'aliceA', 3)),
    describe('offer', phone, 'aliceA'),
    describe('answer', laptop, 'bobA'),
    simple('connected', laptop),
    simple('hold', phone),
    simple('resume', phone),
    describe('offer', laptop, 'bobA', 2),
    hangup(tablet)
  )
  const lines = [
    '0 created alice/phone',
    '2 accepted bob/laptop',
    '3 candidates_held alice/phone 3',
    '5 offer alice/phone 1',
    '6 answer bob/laptop 1',
    '7 connected bob/laptop',
    '8 held alice/phone',
    '9 resumed alice/phone',
    '10 offer bob/laptop 2',
    '11 ended alice/tablet hangup'
  ]
  t.strictSame(linesOf(state, 'callee'), lines.toSpliced(1, 0, '1 ringing bob/watch'))
  t.strictSame(linesOf(state, 'caller'), lines.toSpliced(1, 0, '1 ringing bob/null'))
})

t.test('candidates that waited for another description than the one that came have a line', async t => {
  const { description } = describe('offer', phone, 'aliceA')
  const state = after(
    create({ offer: description, batch: { candidates: candidates(2, 'aliceX') } }),
    accept(laptop, { answer: describe('answer', laptop, 'bobA').description }),
    trickle(laptop, candidates(1, 'bobB')),
    describe('offer', laptop, 'bobC', 2)
  )
  t.strictSame(linesOf(state, 'callee'), [
    '0 created alice/phone',
    '0 offer alice/phone 1',
    '1 accepted bob/laptop',
    '1 answer bob/laptop 1',
    '2 candidates_held bob/laptop 1',
    '3 offer bob/laptop 2',
    '3 candidates_stale bob/laptop 1'
  ])
})

t.test('a request that changes nothing has no line', async t => {
  const state = after(create(), accept(laptop), accept(laptop), simple('connected', phone), simple('connected', laptop))
  t.strictSame(linesOf(state, 'caller'), ['0 created alice/phone', '1 accepted bob/laptop', '3 connected alice/phone'])
})

t.test('how a call ended, and by whom', async t => {
  const ends: [string, CallCommand[]][] = [
    ['1 ended alice/phone cancelled', [cancel(phone)]],
    ['1 ended bob/watch declined', [reject(watch, 'user')]],
    ['1 ended server busy', [{ type: 'busy', user: 'bob' }]],
    ['2 ended bob/watch media_failed', [accept(laptop), hangup(watch, 'media_failed')]]
  ]
  for (const [line, commands] of ends) t.equal(linesOf(after(create(), ...commands), 'callee').at(-1), line)
  const unanswered = decide(after(create()), check(), T0 + RING_MS).state
  t.equal(linesOf(unanswered, 'caller').at(-1), '30 ended server no_answer')
})

t.test('a device that disconnects and comes back has two lines', async t => {
  const since = T0 + 10_000
  const away = decide(connected(), check(null, since), since + AWAY_MS).state
  const back = decide(away, check(), since + AWAY_MS + 1000).state
  t.strictSame(linesOf(back, 'caller').slice(-2), ['15 away bob/laptop', '16 back bob/laptop'])
})

t.test('the caller does not see which devices of the callee ring or decline', async t => {
  const state = after(create(), simple('ringing', watch), reject(watch, 'device'), reject(laptop, 'device'))
  t.strictSame(linesOf(state, 'callee'), [
    '0 created alice/phone',
    '1 ringing bob/watch',
    '2 declined bob/watch',
    '3 ended bob/laptop declined'
  ])
  t.strictSame(linesOf(state, 'caller'), ['0 created alice/phone', '1 ringing bob/null', '3 ended bob/null declined'])
})

t.test('the first lines and the newest are kept, the others are counted', async t => {
  const holds = Array.from({ length: 60 }, (_, i) => simple(i % 2 === 0 ? 'hold' : 'resume', phone))
  const state = after(create(), accept(laptop), simple('connected', phone), ...holds)
  const { entries, omitted } = viewTimeline(state, 'alice')
  t.equal(entries.length, 48)
  t.equal(omitted, 15)
  t.match(entries[0], { type: 'created' })
  t.match(entries.at(-1), { at: new Date(T0 + 62_000).toISOString(), type: 'resumed' })
})

t.test('the lines of long device ids are bounded in bytes, and the newest one is kept', async t => {
  for (const length of [120, 600]) {
    const devices = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(length, 'd'))
    const rejects = devices.map(device => reject({ user: 'bob', device }, 'device', ['laptop', ...devices]))
    const { timeline } = after(create(), ...rejects)
    t.ok(Buffer.byteLength(JSON.stringify(timeline.lines)) <= 4096)
    t.equal(timeline.lines.length + timeline.omitted, 41)
    t.match(timeline.lines, { 0: [0, 'created'], [timeline.lines.length - 1]: [40_000, 'declined'] })
  }
})
