// The fixture of generated command sequences: one call, devices that appear and disappear, a mailbox for each, and a clock. Each step is
// checked against the invariants of a call. The state is encoded as JSON and decoded after each step, as a store does.
import assert from 'node:assert/strict'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallDecision, CallEvent } from '../../src/domain/call/decision.js'
import { type CallState, deadlineOf, type Side } from '../../src/domain/call/state.js'
import { viewCall } from '../../src/domain/call/view.js'
import { ufragOf } from '../../src/domain/negotiation/candidate.js'
import { AppError } from '../../src/errors.js'
import type { Endpoint } from '../../src/schemas/common.js'
import type { Candidate } from '../../src/schemas/signal.js'
import { appeared, attempt, check, freeze, reaches, T0 } from './calls.js'
import { faultsOf } from './events.js'

interface Device {
  readonly endpoint: Endpoint
  readonly mailbox: CallEvent[]
  goneSince: number | null
  /** It has rejected the call with scope `device`. */
  hasDeclined: boolean
}

const keyOf = ({ user, device }: Endpoint) => `${user}/${device}`

export class CallFixture {
  now = T0
  state: CallState | null = null
  readonly devices = new Map<string, Device>()
  readonly accepted: { side: Side; candidate: Candidate }[] = []
  winner: string | null = null
  /** The device that ended the call; null: the server did. */
  endedBy: Endpoint | null = null

  /** The device opens a stream. The first time, the call was not offered to it yet. */
  connect(endpoint: Endpoint): void {
    const known = this.devices.get(keyOf(endpoint))
    if (known) known.goneSince = null
    else this.devices.set(keyOf(endpoint), { endpoint, mailbox: [], goneSince: null, hasDeclined: false })
    if (this.state) this.apply(appeared(endpoint, !known))
  }

  disconnect(endpoint: Endpoint): void {
    const device = this.devices.get(keyOf(endpoint))
    if (device) device.goneSince ??= this.now
  }

  /** Fires the deadlines that are due meanwhile. */
  advance(ms: number): void {
    const until = this.now + ms
    for (let rounds = 0; ; rounds++) {
      assert.ok(rounds < 200, 'deadlines do not pile up')
      const due = this.state && deadlineOf(this.state)
      if (due === null || due === undefined || due > until) break
      this.now = Math.max(this.now, due)
      this.check()
    }
    this.now = until
  }

  /** A deadline fires, also if it is not due any more. */
  check(): void {
    if (!this.state) return
    const since = (endpoint: Endpoint | null) =>
      endpoint === null ? null : (this.devices.get(keyOf(endpoint))?.goneSince ?? null)
    const { caller, callee } = this.state
    const answered = callee?.device == null ? null : { user: callee.user, device: callee.device }
    this.apply(check(since(caller), since(answered)))
  }

  /** Applies a command: checks the decision, stores the state, delivers the events. */
  apply(command: CallCommand): CallDecision | AppError {
    // These requests register the device, and a ringing call is offered to a device that registers.
    const registers = command.type === 'accept' || command.type === 'reject'
    if (registers && !this.devices.has(keyOf(command.actor))) this.connect(command.actor)
    const before = this.state
    const outcome = attempt(before, command, this.now)
    if (outcome instanceof AppError) return outcome
    this.#checkStep(before, outcome, command)
    const after = freeze(JSON.parse(JSON.stringify(outcome.state)) as CallState)
    assert.deepEqual(after, outcome.state, 'the state is the same after encoding and decoding')
    this.state = after
    this.#record(before, after, command)
    this.#recordCandidates(before, outcome, command)
    for (const event of outcome.events) this.#deliver(event, command)
    return outcome
  }

  #checkStep(before: CallState | null, { state, events }: CallDecision, command: CallCommand): void {
    if (before?.phase === 'ended') {
      assert.equal(state, before, `nothing changes after the end (${command.type})`)
      assert.equal(events.length, 0, `no events after the end (${command.type})`)
    }
    if (state.version === before?.version) {
      assert.deepEqual(
        { ...state, checkAt: before.checkAt },
        before,
        'without a new version only the next check changes'
      )
    } else assert.equal(state.version, (before?.version ?? 0) + 1, 'each change is one version')
    if (state !== before && state.version === before?.version) assert.equal(events.length, 0, 'and no event is sent')
    if (state.phase === 'ended') assert.equal(deadlineOf(state), null, 'an ended call has no deadline')
    else assert.ok(Number.isFinite(deadlineOf(state)), 'every live call has a deadline')
    for (const event of events) assert.equal(event.data.version, state.version, 'an event names its version')
  }

  #record(before: CallState | null, after: CallState, command: CallCommand): void {
    const actor = 'actor' in command ? command.actor : null
    if (command.type === 'accept' && before?.phase === 'ringing') {
      assert.equal(this.winner, null, 'at most one device wins')
      this.winner = keyOf(command.actor)
    } else if (command.type === 'accept')
      assert.equal(this.winner, keyOf(command.actor), 'no other device gets a successful accept')
    if (after.phase === 'ended' && before?.phase !== 'ended') this.endedBy = actor
    if (command.type === 'reject' && command.scope === 'device' && after.phase === 'ringing') {
      const device = this.devices.get(keyOf(command.actor))
      if (device) device.hasDeclined = true
    }
  }

  /** A retried description does not send its candidates again. */
  #recordCandidates(before: CallState | null, { state, events, outcomes }: CallDecision, command: CallCommand): void {
    if (!('batch' in command) || command.batch === undefined || outcomes === undefined) return
    if (state === before && events.length === 0) return
    const side: Side = command.actor.user === state.caller.user ? 'caller' : 'callee'
    const isAccepted = (_: Candidate, position: number) => !outcomes.rejected.some(({ index }) => index === position)
    this.accepted.push(...command.batch.candidates.filter(isAccepted).map(candidate => ({ side, candidate })))
  }

  #deliver(event: CallEvent, command: CallCommand): void {
    const envelope = { type: event.type, timestamp: new Date(this.now).toISOString(), data: event.data }
    assert.deepEqual(faultsOf(JSON.parse(JSON.stringify(envelope))), [], 'the event matches its schema')
    for (const { endpoint, mailbox } of this.devices.values()) {
      if (!reaches(event.to, endpoint)) continue
      const own = 'actor' in command && keyOf(command.actor) === keyOf(endpoint)
      // An accept releases the signals that waited for it.
      const isExpected = command.type === 'appeared' || event.type.startsWith('signal.')
      assert.ok(!own || isExpected, `the acting device gets no event of its own ${command.type}`)
      mailbox.push(event)
    }
  }

  /** Invariants of all mailboxes at any time. */
  checkMailboxes(): void {
    for (const { endpoint, mailbox } of this.devices.values()) {
      const versions = mailbox.map(({ data }) => Number(data.version))
      assert.deepEqual(
        [...versions].sort((a, b) => a - b),
        versions,
        'events arrive in the order of their versions'
      )
      const ends = mailbox.filter(({ type }) => type === 'call.ended')
      assert.ok(ends.length <= 1, `${keyOf(endpoint)} gets the end at most once`)
      if (ends.length === 1) assert.equal(mailbox.at(-1), ends[0], 'the end is the last event')
      checkCandidateOrder(mailbox)
    }
    if (this.state) this.#checkDelivered(this.state)
  }

  /** Each accepted candidate of a described generation was delivered once, and no other candidate was delivered. */
  #checkDelivered(state: CallState): void {
    const lines = { caller: this.#receivedFrom('caller', state), callee: this.#receivedFrom('callee', state) }
    for (const { side, candidate } of this.accepted) {
      const { counts, ufrags, isOpen } = lines[side]
      const count = counts.get(candidate.candidate) ?? 0
      assert.ok(count <= 1, 'no candidate is delivered twice')
      if (!isOpen) continue
      const ufrag = ufragOf(candidate)
      const due = ufrag === null ? ufrags.size > 0 : ufrags.has(ufrag)
      assert.equal(count, due ? 1 : 0, `${candidate.candidate} is ${due ? 'delivered' : 'waiting'}`)
    }
  }

  /** What the mailbox of the other side's device has. */
  #receivedFrom(side: Side, state: CallState) {
    const to = side === 'caller' ? state.callee : state.caller
    const mailbox = this.devices.get(`${to?.user}/${to?.device}`)?.mailbox
    const counts = new Map<string, number>()
    for (const { candidate } of mailbox?.flatMap(candidatesOf) ?? [])
      counts.set(candidate, (counts.get(candidate) ?? 0) + 1)
    const ufrags = new Set(mailbox?.flatMap(({ data }) => describedBy(data)))
    return { counts, ufrags, isOpen: mailbox !== undefined && ['connecting', 'connected'].includes(state.phase) }
  }

  /** After the end: each device that followed the call got one end with the right reason, except the one that ended it. */
  checkEnding(): void {
    const state = this.state as CallState
    assert.equal(state.phase, 'ended')
    assert.equal(viewCall(state, this.now, state.caller.user).state, 'ended')
    for (const { endpoint, mailbox, hasDeclined } of this.devices.values()) {
      const key = keyOf(endpoint)
      const reasons = mailbox.filter(({ type }) => type === 'call.ended').map(({ data }) => data.reason)
      const acted = this.endedBy !== null && keyOf(this.endedBy) === key
      if (endpoint.user === state.caller.user || key === this.winner) {
        if (acted) assert.deepEqual(reasons, [], `${key} ended it`)
        else if (mailbox.length > 0) assert.deepEqual(reasons, [state.reason], `${key} gets the reason`)
        continue
      }
      const wasOffered = mailbox.some(({ type }) => type === 'call.incoming')
      const hasActed = this.winner === null ? acted || hasDeclined : hasDeclined
      const why =
        this.winner === null
          ? state.reason === 'declined'
            ? 'declined_elsewhere'
            : state.reason
          : 'answered_elsewhere'
      if (wasOffered) assert.deepEqual(reasons, hasActed ? [] : [why], `${key} was offered the call`)
      else assert.ok(mailbox.every(({ type }) => type === 'call.ended'))
    }
  }
}

function describedBy(data: CallEvent['data']): string[] {
  const { sdp, offer, answer } = data as { sdp?: string; offer?: { sdp: string }; answer?: { sdp: string } }
  const ufrag = /ice-ufrag:(\S+)/.exec(sdp ?? offer?.sdp ?? answer?.sdp ?? '')?.[1]
  return ufrag === undefined ? [] : [ufrag]
}

/** Also of `call.incoming` and `call.accepted`. */
const candidatesOf = ({ data }: CallEvent) => (data.candidates ?? []) as readonly Candidate[]

/** G6, in the order of one mailbox. */
function checkCandidateOrder(mailbox: readonly CallEvent[]): void {
  const known = new Set<string>()
  for (const event of mailbox) {
    for (const ufrag of describedBy(event.data)) known.add(ufrag)
    for (const candidate of candidatesOf(event)) {
      const ufrag = ufragOf(candidate)
      assert.ok(ufrag === null ? known.size > 0 : known.has(ufrag), 'a description precedes its candidates')
    }
  }
}
