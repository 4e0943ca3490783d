// Which devices a change of a call wakes, or tells that it has stopped ringing.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import { decideCall } from '../../src/domain/call/decide-call.js'
import { pushesOf } from '../../src/domain/call/push.js'
import type { CallState } from '../../src/domain/call/state.js'

const T0 = 1_000_000
const alice = { user: 'alice', device: 'laptop' }
const bob = (device: string) => ({ user: 'bob', device })

function ring(wakes: readonly string[] | null): CallState {
  const named = { type: 'create', callId: 'c1', actor: alice, attempt: 1 } as const
  const more = { media: 'audio', metadata: { topic: 'lunch' }, offer: null } as const
  const callees = [{ user: 'bob', ringMs: 30_000, wakes }]
  return decideCall(null, { ...named, ...more, callees }, T0).state
}

const pushOf = (...change: Parameters<typeof pushesOf>) => pushesOf(...change)[0] ?? null

const accept = (device: string): CallCommand => ({
  ...{ type: 'accept', actor: bob(device), connectMs: 30_000, checkMs: 5000, maxMs: null }
})
const reject = (device: string, scope: 'device' | 'user', devices: readonly string[] = []): CallCommand => ({
  ...{ type: 'reject', actor: bob(device), scope, devices }
})

t.test('a new call wakes the devices that its create names, until its ring time is over', async t => {
  t.strictSame(pushOf(null, ring(['phone', 'watch']), T0), {
    data: {
      ...{ kind: 'incoming', callId: 'c1', user: 'bob', from: alice, media: 'audio', metadata: { topic: 'lunch' } },
      devices: ['phone', 'watch']
    },
    expiresAt: T0 + 30_000
  })
  t.match(pushOf(null, ring([]), T0), { data: { devices: [] } })
  t.equal(pushOf(null, ring(null), T0), null)
})

/** What the devices learn of a change of a ringing call that woke `phone` and `watch`. */
function after(...commands: readonly CallCommand[]) {
  let before = ring(['phone', 'watch'])
  const pushes = commands.map(command => {
    const { state } = decideCall(before, command, T0 + 5000)
    const push = pushOf(before, state, T0 + 5000)
    before = state
    return push && [push.data.kind, ...push.data.devices]
  })
  return pushes.at(-1)
}

const CANCELLED = ['cancelled', 'phone', 'watch']
const check: CallCommand = {
  type: 'check',
  goneSince: { caller: null, callee: null },
  awayMs: 1,
  graceMs: 1,
  checkMs: 1
}

const CASES: Readonly<Record<string, readonly [commands: readonly CallCommand[], expected: readonly string[] | null]>> =
  {
    'the caller cancels': [[{ type: 'cancel', actor: alice }], CANCELLED],
    'a device that was not woken answers': [[accept('laptop')], CANCELLED],
    'a device that was woken answers': [[accept('phone')], ['cancelled', 'watch']],
    'a device that was woken declines for all': [[reject('watch', 'user')], ['cancelled', 'phone']],
    'another device declines for all': [[reject('laptop', 'user')], CANCELLED],
    'a device declines for itself': [[reject('phone', 'device', ['phone', 'laptop'])], null],
    'another device ends it after one declined': [
      [reject('phone', 'device', ['phone', 'laptop']), accept('laptop')],
      ['cancelled', 'watch']
    ],
    'a device rings': [[{ type: 'ringing', actor: bob('phone') }], null],
    'the call ends after the answer': [[accept('phone'), { type: 'hangup', actor: alice, reason: 'hangup' }], null],
    'the deadline has not come': [[check], null]
  }

for (const [name, [commands, expected]] of Object.entries(CASES)) {
  t.test(name, async t => t.strictSame(after(...commands), expected))
}

t.test('when the ring time runs out, the devices are told, also for a while after', async t => {
  const before = ring(['phone'])
  const { state } = decideCall(before, check, T0 + 30_000)
  t.match(pushOf(before, state, T0 + 30_000), {
    data: { kind: 'cancelled', devices: ['phone'] },
    expiresAt: T0 + 60_000
  })
})

t.test('without devices the receiver learns both, as it may know others', async t => {
  const before = ring([])
  const { state } = decideCall(before, { type: 'cancel', actor: alice }, T0)
  t.match(pushOf(before, state, T0), { data: { kind: 'cancelled', devices: [] } })
})
