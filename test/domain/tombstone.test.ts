// The record of a call id: a call, or tombstones by caller that make creates fail.
import t from 'tap'
import type { Refusal } from '../../src/domain/call/command.js'
import {
  type CallIdRecord,
  callIn,
  decideCallCancel,
  decideCreate,
  decideRefusal,
  type FinalTombstone,
  nextAttempt,
  tombstoneOf,
  viewTombstone
} from '../../src/domain/call/tombstone.js'
import { AppError } from '../../src/errors.js'
import type { Endpoint } from '../../src/schemas/common.js'
import { cancel, connected, create, ended, laptop, mallory, phone, ringing, T0, tablet } from '../helpers/calls.js'

const KEEP_MS = 600_000
type Step = (record: CallIdRecord | null, now: number) => { state: CallIdRecord }
const creates = (actor: Endpoint, to = 'bob', attempt = 1): Step => {
  return (record, now) => decideCreate(record, create({ actor, to, attempt }), now)
}
const cancels = (actor: Endpoint): Step => {
  return (record, now) => decideCallCancel(record, cancel(actor) as { type: 'cancel'; actor: Endpoint }, now)
}
const refuses = (actor: Endpoint, because: Refusal, attempt = 1): Step => {
  return (record, now) =>
    decideRefusal(record, { callId: 'c1', actor, to: 'bob', attempt, because, keepMs: KEEP_MS }, now)
}
const fails = (actor: Endpoint, attempt: number): Step => refuses(actor, { code: 'failed', attempt }, attempt)
const BUSY = { code: 'callee_busy' } as const

/** What is there after these steps, a second apart: a phase, or whose tombstones. */
function after(...steps: Step[]): CallIdRecord {
  let record: CallIdRecord | null = null
  for (const [n, step] of steps.entries()) {
    const { state }: { state: CallIdRecord } = step(record, T0 + 1000 * n)
    if (state !== record)
      t.ok(state.version > ((record as CallIdRecord | null)?.version ?? 0), 'each change is a new version')
    record = JSON.parse(JSON.stringify(state)) as CallIdRecord
  }
  return record as CallIdRecord
}

const shown = (record: CallIdRecord) =>
  record.phase === 'void'
    ? record.tombstones.map(({ caller, because }) => `${caller.user} ${because.code}`).join(', ')
    : `${record.caller.user} ${record.phase}`

t.test('a tombstone closes the creates of its own caller only', async t => {
  const cases: readonly [Step[], string][] = [
    [[cancels(phone)], 'alice cancelled'],
    [[cancels(phone), creates(phone)], 'alice cancelled'],
    [[cancels(phone), creates(tablet, 'carol')], 'alice cancelled'],
    [[cancels(phone), cancels(phone)], 'alice cancelled'],
    [[refuses(phone, BUSY), creates(phone)], 'alice callee_busy'],
    [[refuses(phone, BUSY), refuses(phone, { code: 'call_ended' })], 'alice callee_busy'],
    [[refuses(phone, BUSY), cancels(phone)], 'alice callee_busy'],
    [[refuses(phone, { code: 'call_ended' }), creates(phone)], 'alice call_ended'],
    [[cancels(phone), refuses(mallory, BUSY)], 'alice cancelled, mallory callee_busy'],
    [[cancels(phone), creates(mallory)], 'mallory ringing'],
    [[cancels(phone), refuses(mallory, BUSY), creates(laptop, 'alice')], 'bob ringing'],
    [[creates(phone), refuses(phone, { code: 'call_ended' })], 'alice ringing'],
    [[creates(phone), refuses(mallory, BUSY)], 'alice ringing'],
    [[creates(phone), cancels(mallory)], 'alice ringing'],
    [[creates(phone), cancels(phone)], 'alice ended'],
    [[creates(phone), cancels(phone), creates(phone)], 'alice ended']
  ]
  for (const [steps, outcome] of cases) t.equal(shown(after(...steps)), outcome)
})

t.test('a failed attempt makes no call, and the next attempt may', async t => {
  const cases: readonly [Step[], string][] = [
    [[fails(phone, 1)], 'alice failed'],
    [[fails(phone, 1), creates(phone)], 'alice failed'],
    [[fails(phone, 1), creates(phone, 'carol', 2)], 'alice ringing'],
    [[fails(phone, 1), creates(mallory)], 'mallory ringing'],
    [[fails(phone, 1), fails(phone, 2), creates(phone, 'bob', 2)], 'alice failed'],
    [[fails(phone, 1), fails(phone, 2), creates(phone, 'bob', 3)], 'alice ringing'],
    [[fails(phone, 2), fails(phone, 1), creates(phone, 'bob', 2)], 'alice failed'],
    [[fails(phone, 1), fails(mallory, 1)], 'alice failed, mallory failed'],
    // What is final for all attempts stays so, and comes over one that failed: a cancel, and a take-over of a later attempt.
    [[fails(phone, 1), cancels(phone), creates(phone, 'bob', 2)], 'alice cancelled'],
    [[fails(phone, 1), refuses(phone, BUSY, 2), creates(phone, 'bob', 2)], 'alice callee_busy'],
    [[fails(phone, 1), refuses(phone, { code: 'call_ended' }, 1)], 'alice failed'],
    [[fails(phone, 1), refuses(phone, { code: 'call_ended' }, 2), creates(phone, 'bob', 3)], 'alice call_ended'],
    [[refuses(phone, { code: 'call_ended' }), fails(phone, 1), creates(phone, 'bob', 2)], 'alice call_ended'],
    [[cancels(phone), fails(phone, 1)], 'alice cancelled'],
    [[creates(phone), fails(phone, 1)], 'alice ringing']
  ]
  for (const [steps, outcome] of cases) t.equal(shown(after(...steps)), outcome)
  t.equal(nextAttempt(after(fails(phone, 1), fails(phone, 2)), 'alice'), 3)
  t.equal(nextAttempt(after(fails(phone, 1)), 'mallory'), 1)
  t.equal(tombstoneOf(after(fails(phone, 1)), 'alice'), null, 'a retry is not answered with it')
  const failed = { callId: 'c1', actor: phone, to: 'bob', attempt: 1, because: { code: 'failed', attempt: 1 } } as const
  t.strictSame(decideRefusal(null, { ...failed, keepMs: KEEP_MS }, T0).events, [], 'and no device receives anything')
})

t.test('a call that replaces tombstones continues their version, also in its events', async t => {
  const record = after(cancels(phone), refuses(mallory, BUSY))
  const { state, events } = decideCreate(record, create({ actor: laptop, to: 'alice' }), T0)
  t.match(callIn(state), { version: 3, caller: laptop })
  t.match(events, [{ type: 'call.incoming', data: { version: 3, call: { version: 3 } } }])
})

t.test('a create with the id of another caller’s call is refused with call_id_taken, without details', async t => {
  for (const call of [ringing(), connected(), ended()]) {
    for (const who of [mallory, laptop]) {
      const error = t.throws(() => decideCreate(call, create({ actor: who }), T0)) as unknown
      t.ok(error instanceof AppError && error.code === 'call_id_taken')
      t.strictSame((error as AppError).extra, {})
    }
  }
})

t.test('a tombstone is an ended call in its caller’s view', async t => {
  const cases: readonly [FinalTombstone['because'], reason: string, endedBy: Endpoint | null][] = [
    [{ code: 'cancelled' }, 'cancelled', phone],
    [{ code: 'callee_busy' }, 'busy', null],
    [{ code: 'caller_busy', activeCallId: 'c2' }, 'busy', null],
    [{ code: 'call_glare' }, 'busy', null],
    [{ code: 'merged', into: 'c2' }, 'busy', null],
    [{ code: 'call_ended' }, 'server', null]
  ]
  for (const [because, reason, endedBy] of cases) {
    const view = viewTombstone('c1', { caller: phone, to: 'bob', at: T0, until: T0 + 1, because })
    const at = '2026-11-21T10:00:00.000Z'
    t.match(view, {
      callId: 'c1',
      version: 1,
      state: 'ended',
      reason,
      endedBy,
      caller: phone,
      createdAt: at,
      endedAt: at
    })
    t.strictSame(view.callee, { user: 'bob', device: null })
  }
})

t.test('tombstones are bounded in size and number, and expire', async t => {
  const one = after(cancels({ user: 'alice-0f9a3f1c', device: 'phone-77b1' }))
  t.ok(JSON.stringify(one).length <= 300, `${JSON.stringify(one).length} characters`)
  const many = after(...Array.from({ length: 40 }, (_, n) => cancels({ user: `user${n}`, device: 'phone' })))
  t.equal(many.phase === 'void' && many.tombstones.length, 16, 'the newest')
  t.ok(tombstoneOf(many, 'user39'))
  const later = decideCallCancel(many, { type: 'cancel', actor: phone }, T0 + 500_000).state
  t.equal(later.phase === 'void' && later.tombstones.length, 1, 'those that lapsed are dropped')
})
