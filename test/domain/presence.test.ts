// The presence of a user, and which of its changes are published.
import * as fc from 'fast-check'
import t from 'tap'
import {
  type DeviceActivity,
  decidePresence,
  decideWatch,
  nextCheckAt,
  type PresenceCheck,
  type PresenceSnapshot,
  presenceOf,
  type WatchedState
} from '../../src/domain/presence/presence.js'
import { PRESENCE_STATES, type PresenceState } from '../../src/schemas/presence.js'
import { randomRuns } from '../helpers/runs.js'

const T0 = 1_000_000
const TTL = 30_000
const DEBOUNCE = 2_000

const connected = (parts: Partial<DeviceActivity> = {}): DeviceActivity => ({
  online: true,
  left: false,
  seenAt: T0,
  status: '',
  ...parts
})
const disconnected = (parts: Partial<DeviceActivity> = {}) => connected({ online: false, ...parts })

t.test('the presence of a user is made from all devices', async t => {
  const cases: [PresenceState, number, DeviceActivity[], boolean?][] = [
    ['offline', 0, []],
    ['online', 1, [connected()]],
    ['online', 1, [disconnected({ seenAt: T0 - TTL + 1 })]],
    ['offline', 0, [disconnected({ seenAt: T0 - TTL })]],
    ['offline', 0, [disconnected({ left: true })]],
    ['online', 1, [disconnected({ left: true }), connected()]],
    ['online', 2, [connected({ status: 'away' }), connected()]],
    ['away', 2, [connected({ status: 'away' }), disconnected({ status: 'away' })]],
    ['away', 1, [connected({ status: 'away' }), disconnected({ left: true })]],
    ['busy', 1, [connected({ status: 'away' })], true],
    ['offline', 0, [disconnected({ left: true })], true]
  ]
  for (const [state, count, devices, isBusy = false] of cases) {
    const seenAt = devices.length === 0 ? null : Math.max(...devices.map(each => each.seenAt))
    t.strictSame(
      presenceOf(devices, { isBusy, now: T0, ttlMs: TTL }),
      { state, devices: count, seenAt },
      JSON.stringify(devices)
    )
  }
})

t.test('the next check is due when the first live device expires', async t => {
  t.equal(nextCheckAt([], T0, TTL), T0 + TTL)
  t.equal(nextCheckAt([connected({ seenAt: T0 - 1 }), connected({ seenAt: T0 - 9_000 })], T0, TTL), T0 + 21_000)
  t.equal(
    nextCheckAt([connected({ seenAt: T0 - 99_000 })], T0, TTL),
    T0 + TTL / 3,
    'never sooner than a third of the TTL'
  )
  t.equal(
    nextCheckAt([disconnected({ left: true, seenAt: T0 - 9_000 })], T0, TTL),
    T0 + TTL,
    'a device that left does not expire'
  )
})

const snapshot = (state: PresenceState, devices = state === 'offline' ? 0 : 1): PresenceSnapshot => ({
  state,
  devices,
  seenAt: T0
})
const checkOf = (state: PresenceState, now: number, parts: Partial<PresenceCheck> = {}): PresenceCheck => ({
  ...{ current: snapshot(state), nextCheckAt: now + TTL, absenceCountsFrom: 0 },
  ...{ debounceMs: DEBOUNCE, isWatched: true, isForOperator: false },
  ...parts
})
const watched = (state: PresenceState): WatchedState =>
  decideWatch(null, { user: 'bob', current: snapshot(state), checkAt: T0 + TTL }, T0)

/** After how many milliseconds a change that lasts is published, if each check runs exactly when it is due. */
function publishedAfter(from: PresenceState, to: PresenceState, parts: Partial<PresenceCheck> = {}): number {
  let state = watched(from)
  for (let now = T0, checks = 0; checks < 9; now = Number(state.checkAt), checks++) {
    const decided = decidePresence(state, checkOf(to, now, parts), now)
    if (decided.publishes) return now - T0
    state = decided.state
  }
  return Number.POSITIVE_INFINITY
}

t.test('online and busy after offline or away are published at once, other changes after the debounce', async t => {
  for (const from of PRESENCE_STATES) {
    for (const to of PRESENCE_STATES.filter(state => state !== from)) {
      const isImmediate = ['offline', 'away'].includes(from) && ['online', 'busy'].includes(to)
      t.equal(publishedAfter(from, to), isImmediate ? 0 : DEBOUNCE, `${from} → ${to}`)
      t.equal(publishedAfter(from, to, { debounceMs: 0 }), 0, `${from} → ${to}, without a debounce`)
    }
  }
})

t.test('the loss of a device is not published before the grace start', async t => {
  t.equal(publishedAfter('online', 'offline', { absenceCountsFrom: T0 + 9_000 }), 9_000)
  t.equal(publishedAfter('online', 'busy', { absenceCountsFrom: T0 + 9_000 }), DEBOUNCE)
  t.equal(publishedAfter('offline', 'online', { absenceCountsFrom: T0 + 9_000 }), 0)
})

t.test('a check that finds no change commits nothing, unless it was due', async t => {
  const state = watched('online')
  t.equal(decidePresence(state, checkOf('online', T0), T0).state, state)
  const later = decidePresence(state, checkOf('online', T0 + TTL), T0 + TTL).state
  t.match(later, { version: state.version + 1, checkAt: T0 + 2 * TTL })
  const pending = decidePresence(state, checkOf('offline', T0), T0).state
  t.match(pending, { published: snapshot('online'), pending: { state: 'offline', since: T0 }, checkAt: T0 + DEBOUNCE })
  t.equal(decidePresence(pending, checkOf('offline', T0 + 1), T0 + 1).state, pending)
})

t.test('checks stop without watchers and start again with one', async t => {
  const over = decidePresence(watched('online'), checkOf('offline', T0, { isWatched: false }), T0)
  t.match(over, { publishes: false, state: { version: T0 + 1, checkAt: null } })
  t.equal(decidePresence(over.state, checkOf('online', T0), T0).state, over.state, 'a late check changes nothing')
  const again = decideWatch(over.state, { user: 'bob', current: snapshot('away'), checkAt: T0 + 5 }, T0)
  t.match(again, { version: T0 + 2, published: snapshot('away'), pending: null, checkAt: T0 + 5 })
  const another = decideWatch(again, { user: 'bob', current: snapshot('offline'), checkAt: T0 + 9 }, T0)
  t.strictSame(another, { ...again, version: T0 + 3 }, 'a second watcher gets what the first one has')
})

t.test('each change that lasts is published once, and no other, for any sequence of changes and checks', async () => {
  const step = fc.record({
    state: fc.constantFrom(...PRESENCE_STATES),
    checkDelays: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 4 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      let state = watched('online')
      let now = T0
      const changedAt = { at: T0, to: 'online' as PresenceState }
      for (const { state: next, checkDelays } of steps) {
        if (changedAt.to !== next) Object.assign(changedAt, { at: now, to: next })
        // Each change is checked at once.
        for (const ms of [0, ...checkDelays]) {
          now += ms
          const before = state
          const decided = decidePresence(state, checkOf(next, now), now)
          state = decided.state
          const lasted = now - changedAt.at >= DEBOUNCE
          const isImmediate = ['offline', 'away'].includes(before.published.state) && ['online', 'busy'].includes(next)
          if (decided.publishes !== (before.published.state !== next && (lasted || isImmediate))) return false
          if (state !== before && state.version !== before.version + 1) return false
          if (state.published.state !== before.published.state && !decided.publishes) return false
          if (state.published.state !== next && Number(state.checkAt) > changedAt.at + DEBOUNCE) return false
        }
      }
      return true
    }),
    { numRuns: randomRuns(500) }
  )
})
