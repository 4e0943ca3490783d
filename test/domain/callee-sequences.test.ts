// Generated sequences of commands to a call of several users: none breaks an invariant, and no callee learns of another.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { nextToRing } from '../../src/domain/call/called.js'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallDecision, CallEvent } from '../../src/domain/call/decision.js'
import { wasPartyOf } from '../../src/domain/call/party.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { viewTimeline } from '../../src/domain/call/timeline.js'
import { viewCall } from '../../src/domain/call/view.js'
import { AppError } from '../../src/errors.js'
import {
  accept,
  attempt,
  cancel,
  check,
  create,
  freeze,
  hangup,
  message,
  phone,
  reject,
  simple,
  T0
} from '../helpers/calls.js'
import { faultsOf } from '../helpers/events.js'

const USERS = ['bob', 'carol', 'dave'] as const
type User = (typeof USERS)[number]
type Step = readonly [name: string, command: CallCommand | number]

const on = (user: User) => ({ user, device: `phone of ${user}` })
const user = fc.constantFrom(...USERS)
const step: fc.Arbitrary<Step> = fc.oneof(
  user.map((who): Step => [`accept ${who}`, accept(on(who))]),
  { weight: 3, arbitrary: user.map((who): Step => [`reject ${who}`, reject(on(who), 'user')]) },
  user.map((who): Step => [`hangup ${who}`, hangup(on(who))]),
  user.map((who): Step => [`ringing ${who}`, simple('ringing', on(who))]),
  user.map((who): Step => [`message ${who}`, message(on(who), 'm1')]),
  user.map((who): Step => [`busy ${who}`, { type: 'busy', user: who }]),
  { weight: 4, arbitrary: user.map((who): Step => [`ring ${who}`, { type: 'ring', user: who }]) },
  user.map((who): Step => [`skip ${who}`, { type: 'skip', user: who, reason: 'busy' }]),
  fc.constant<Step>(['cancel', cancel(phone)]),
  { weight: 3, arbitrary: fc.constantFrom(1000, 6000, 20_000).map((ms): Step => [`${ms} ms`, ms]) }
)
const callees = fc.tuple(
  ...USERS.map(who =>
    fc.record({ user: fc.constant(who), ringMs: fc.constantFrom(5000, 15_000), isMuted: fc.boolean() })
  )
)

class Fixture {
  now = T0
  state: CallState
  readonly received: Record<string, CallEvent[]> = { alice: [], bob: [], carol: [], dave: [] }

  constructor({ state, events }: CallDecision) {
    this.state = freeze(state)
    this.#deliver(events)
  }

  run(command: CallCommand | number): void {
    if (typeof command !== 'number') {
      this.#apply(command)
      return
    }
    const until = this.now + command
    for (let due = deadlineOf(this.state); due !== null && due <= until; due = deadlineOf(this.state)) {
      this.now = Math.max(this.now, due)
      const next = nextToRing(this.state)
      this.#apply(next ? { type: 'ring', user: next.user } : check())
    }
    this.now = until
  }

  #apply(command: CallCommand): void {
    const before = this.state
    const outcome = attempt(before, command, this.now)
    if (outcome instanceof AppError) return
    const after = freeze(JSON.parse(JSON.stringify(outcome.state)) as CallState)
    assert.deepEqual(after, outcome.state, 'the state is the same after encoding and decoding')
    this.state = after
    this.#checkStep(before, outcome)
    this.#deliver(outcome.events)
  }

  #checkStep(before: CallState, { state, releases = [] }: CallDecision): void {
    if (before.phase === 'ended') assert.equal(state, before, 'nothing changes after the end')
    if (state.phase !== 'ended') assert.ok(Number.isFinite(deadlineOf(state)), 'every live call has a deadline')
    const answered = state.called.filter(each => each.state === 'answered').map(each => each.user)
    assert.deepEqual(answered, state.callee === null ? [] : [state.callee.user], 'one of them is the callee')
    if (state.phase === 'ended') return
    const left = state.called.filter(
      (each, i) => each.state === 'ended' && before.called[i]?.state === 'ringing' && !each.isMuted
    )
    for (const each of left) assert.ok(releases.includes(each.user), `the lease of ${each.user} is released`)
    for (const each of state.called) {
      const rang = this.received[each.user]?.some(({ type }) => type === 'call.incoming') || left.includes(each)
      if (each.state === 'ended' && !rang) assert.ok(!wasPartyOf(state, each.user), `${each.user} never rang`)
      if (each.state === 'waiting') assert.ok(!wasPartyOf(state, each.user), `${each.user} waits`)
    }
  }

  #deliver(events: readonly CallEvent[]): void {
    for (const { to, type, data } of events) {
      const envelope = { type, timestamp: new Date(this.now).toISOString(), data }
      assert.deepEqual(faultsOf(JSON.parse(JSON.stringify(envelope))), [], 'the event matches its schema')
      if (to.user !== 'alice') this.#checkPrivate(to.user as User, data)
      if (!to.except?.includes(on(to.user as User).device)) this.received[to.user]?.push({ to, type, data })
    }
  }

  /** Nothing that a callee gets names another one. */
  #checkPrivate(viewer: User, shown: unknown): void {
    for (const other of USERS) {
      if (other !== viewer) assert.ok(!JSON.stringify(shown).includes(other), `${viewer} learns of ${other}`)
    }
  }

  check(): void {
    for (const viewer of USERS) {
      const events = this.received[viewer] ?? []
      const ends = events.filter(({ type }) => type === 'call.ended')
      assert.ok(ends.length <= 1 && (ends.length === 0 || events.at(-1) === ends[0]), `${viewer} gets one end, at last`)
      const offers = events.filter(({ type }) => type === 'call.incoming')
      assert.ok(
        offers.length <= 1 && (events.length === 0 || events[0] === offers[0]),
        `${viewer} is rung once, at first`
      )
      if (!wasPartyOf(this.state, viewer)) assert.deepEqual(events, [], `${viewer} learns nothing`)
      else {
        this.#checkPrivate(viewer, [viewCall(this.state, this.now, viewer), viewTimeline(this.state, viewer)])
        const isOver = viewCall(this.state, this.now, viewer).state === 'ended'
        if (ends.length > 0) assert.ok(isOver, `the call of ${viewer} has ended`)
      }
    }
    const versions = this.received.alice?.map(({ data }) => Number(data.version)) ?? []
    assert.deepEqual(
      versions,
      [...versions].sort((a, b) => a - b),
      'events arrive in the order of their versions'
    )
  }
}

t.test('no sequence of commands breaks an invariant', async t => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(callees, fc.boolean(), fc.array(step, { maxLength: 25 }), (called, isSequence, steps) => {
      const waiting = called.map((each, i) => ({ ...each, isWaiting: isSequence && i > 0 }))
      const first = attempt(null, create({ callees: waiting }), T0)
      assert.ok(!(first instanceof AppError))
      const fixture = new Fixture(first)
      for (const [, command] of steps) {
        fixture.run(command)
        fixture.check()
      }
      fixture.run(200_000)
      fixture.check()
      const { phase, reason, called: end, callee } = fixture.state
      if (phase === 'ended') reached.add(reason ?? '')
      if (callee !== null && end.some(each => each.reason === 'declined')) reached.add('answered after a decline')
      if (isSequence && callee?.user === 'dave') reached.add('the third answers')
    }),
    { numRuns: 800, seed: 15 }
  )
  for (const what of ['declined', 'no_answer', 'cancelled', 'answered after a decline', 'the third answers'])
    t.ok(reached.has(what), what)
})
