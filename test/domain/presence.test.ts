// What is shown of a user, and which of its changes are told.
import * as fc from 'fast-check'
import t from 'tap'
import {
  beginWatch,
  decideLook,
  type Look,
  lapsesAt,
  presenceOf,
  type Shown,
  type Sign,
  type WatchedState
} from '../../src/domain/presence/presence.js'
import { PRESENCE_STATES, type PresenceState } from '../../src/schemas/presence.js'

const T0 = 1_000_000
const TTL = 30_000
const DEBOUNCE = 2_000

const sign = (parts: Partial<Sign> = {}): Sign => ({ online: true, left: false, seenAt: T0, status: '', ...parts })
const quiet = (parts: Partial<Sign> = {}) => sign({ online: false, ...parts })

t.test('one presence from all devices', async t => {
  const cases: [PresenceState, number, Sign[], boolean?][] = [
    ['offline', 0, []],
    ['online', 1, [sign()]],
    ['online', 1, [quiet({ seenAt: T0 - TTL + 1 })]],
    ['offline', 0, [quiet({ seenAt: T0 - TTL })]],
    ['offline', 0, [quiet({ left: true })]],
    ['online', 1, [quiet({ left: true }), sign()]],
    ['online', 2, [sign({ status: 'away' }), sign()]],
    ['away', 2, [sign({ status: 'away' }), quiet({ status: 'away' })]],
    ['away', 1, [sign({ status: 'away' }), quiet({ left: true })]],
    ['busy', 1, [sign({ status: 'away' })], true],
    ['offline', 0, [quiet({ left: true })], true]
  ]
  for (const [state, devices, signs, isBusy = false] of cases) {
    const seenAt = signs.length === 0 ? null : Math.max(...signs.map(each => each.seenAt))
    t.strictSame(presenceOf(signs, { isBusy, now: T0, ttlMs: TTL }), { state, devices, seenAt }, JSON.stringify(signs))
  }
})

t.test('it is looked at again when the first device would lapse', async t => {
  t.equal(lapsesAt([], T0, TTL), T0 + TTL)
  t.equal(lapsesAt([sign({ seenAt: T0 - 1 }), sign({ seenAt: T0 - 9_000 })], T0, TTL), T0 + 21_000)
  t.equal(lapsesAt([sign({ seenAt: T0 - 99_000 })], T0, TTL), T0 + TTL / 3, 'a long poll does not make it spin')
  t.equal(lapsesAt([quiet({ left: true, seenAt: T0 - 9_000 })], T0, TTL), T0 + TTL, 'who has left cannot lapse')
})

const shownAs = (state: PresenceState, devices = state === 'offline' ? 0 : 1): Shown => ({ state, devices, seenAt: T0 })
const lookAt = (state: PresenceState, now: number, parts: Partial<Look> = {}): Look => ({
  ...{ shown: shownAs(state), nextAt: now + TTL, fairAt: 0, debounceMs: DEBOUNCE, isWatched: true },
  ...parts
})
const watched = (state: PresenceState): WatchedState =>
  beginWatch(null, { user: 'bob', shown: shownAs(state), lookAt: T0 + TTL }, T0)

/** When it is told that one state has become another and stays so; looked at exactly when asked for. */
function toldAfter(from: PresenceState, to: PresenceState, parts: Partial<Look> = {}): number {
  let state = watched(from)
  for (let now = T0, looks = 0; looks < 9; now = Number(state.lookAt), looks++) {
    const decided = decideLook(state, lookAt(to, now, parts), now)
    if (decided.tell) return now - T0
    state = decided.state
  }
  return Number.POSITIVE_INFINITY
}

t.test('who comes is told at once, everything else when it has lasted', async t => {
  for (const from of PRESENCE_STATES) {
    for (const to of PRESENCE_STATES.filter(state => state !== from)) {
      const comes = ['offline', 'away'].includes(from) && ['online', 'busy'].includes(to)
      t.equal(toldAfter(from, to), comes ? 0 : DEBOUNCE, `${from} → ${to}`)
      t.equal(toldAfter(from, to, { debounceMs: 0 }), 0, `${from} → ${to}, without a debounce`)
    }
  }
})

t.test('nobody is missed while it would not be fair', async t => {
  t.equal(toldAfter('online', 'offline', { fairAt: T0 + 9_000 }), 9_000)
  t.equal(toldAfter('online', 'busy', { fairAt: T0 + 9_000 }), DEBOUNCE)
  t.equal(toldAfter('offline', 'online', { fairAt: T0 + 9_000 }), 0)
})

t.test('a look that finds nothing keeps nothing, unless its time had come', async t => {
  const state = watched('online')
  t.equal(decideLook(state, lookAt('online', T0), T0).state, state)
  const later = decideLook(state, lookAt('online', T0 + TTL), T0 + TTL).state
  t.match(later, { version: state.version + 1, lookAt: T0 + 2 * TTL })
  const turning = decideLook(state, lookAt('offline', T0), T0).state
  t.match(turning, { told: shownAs('online'), turning: { state: 'offline', since: T0 }, lookAt: T0 + DEBOUNCE })
  t.equal(decideLook(turning, lookAt('offline', T0 + 1), T0 + 1).state, turning)
})

t.test('nobody watches any more, and somebody does again', async t => {
  const over = decideLook(watched('online'), lookAt('offline', T0, { isWatched: false }), T0)
  t.match(over, { tell: false, state: { version: T0 + 1, lookAt: null } })
  t.equal(decideLook(over.state, lookAt('online', T0), T0).state, over.state, 'a late look changes nothing')
  const again = beginWatch(over.state, { user: 'bob', shown: shownAs('away'), lookAt: T0 + 5 }, T0)
  t.match(again, { version: T0 + 2, told: shownAs('away'), turning: null, lookAt: T0 + 5 })
  const another = beginWatch(again, { user: 'bob', shown: shownAs('offline'), lookAt: T0 + 9 }, T0)
  t.strictSame(another, { ...again, version: T0 + 3 }, 'a second one finds what the first was told')
})

t.test(
  'whatever happens and whenever it is looked at, each change is told once and what does not last never',
  async () => {
    const step = fc.record({
      state: fc.constantFrom(...PRESENCE_STATES),
      looks: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 4 })
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        let state = watched('online')
        let now = T0
        const changedAt = { at: T0, to: 'online' as PresenceState }
        for (const { state: next, looks } of steps) {
          if (changedAt.to !== next) Object.assign(changedAt, { at: now, to: next })
          // Whoever makes a change looks at once.
          for (const ms of [0, ...looks]) {
            now += ms
            const before = state
            const decided = decideLook(state, lookAt(next, now), now)
            state = decided.state
            const lasted = now - changedAt.at >= DEBOUNCE
            const comes = ['offline', 'away'].includes(before.told.state) && ['online', 'busy'].includes(next)
            if (decided.tell !== (before.told.state !== next && (lasted || comes))) return false
            if (state !== before && state.version !== before.version + 1) return false
            if (state.told.state !== before.told.state && !decided.tell) return false
            if (state.told.state !== next && Number(state.lookAt) > changedAt.at + DEBOUNCE) return false
          }
        }
        return true
      }),
      { numRuns: 2_000 }
    )
  }
)
