import t from 'tap'
import type { Lease } from '../../src/store/leases.js'
import { CALL_NOTES_MAX, DELIVERY_LOG } from '../../src/store/line-logs.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { LASTING_MS } from '../../src/store/rooms.js'
import { ManualClock } from '../helpers/clock.js'
import { appendOf, commitOf } from './contract/fixtures.js'
import { currentCommitContract } from './contract/message-condition.js'
import { joinOf, roomCommitOf } from './contract/room-fixtures.js'
import { OPTIONS, runContract, type StoreFixture } from './contract.js'

const clock = new ManualClock()

const open = async (clock: ManualClock) => createMemoryStore({ ...OPTIONS, clock })
runContract(t, { name: 'memory', open, also: [currentCommitContract] }, clock)

t.test('a closed store leaves no timer behind', async t => {
  t.equal(clock.waiting, 0)
})

t.test('nothing is kept once everything has ended and expired', async t => {
  const clock = new ManualClock()
  const store = createMemoryStore({ ...OPTIONS, clock })
  t.teardown(() => store.close())
  const fixture: StoreFixture = { store, clock, options: OPTIONS, id: stem => stem }
  const now = clock.now()
  const participation = { user: 'alice', device: 'phone', participantId: 'p-alice' }
  const call = { kind: 'call', id: 'c1' } as const
  const lease: Lease = { holder: 'c1', peer: 'bob', kind: 'active', role: 'caller', at: now }
  await store.aggregates.commit(call, commitOf(fixture, 0, { deadlineAt: now + 5 }))
  await store.rooms.commit('r1', joinOf(fixture, 'alice', { deadlineAt: now + 5 }))
  await store.rooms.commit('r1', roomCommitOf(fixture, { writes: { '+ban:eve': '{}' } }))
  await store.memberships.add(participation, 'r1', { max: 9, now })
  await store.invitations.add('alice', 'r1', { until: now + 30_000, now })
  await store.mediaRooms.add('media:4000', 'r1', { until: now + 30_000, now })
  await store.mailboxes.touch('alice', 'phone', { now, tag: 'birth' })
  await store.mailboxes.appendEach([{ user: 'alice', ...appendOf(1) }], now)
  await store.watches.put({ user: 'alice', device: 'phone' }, ['bob'])
  await store.watches.add('bob', { user: 'alice', device: 'phone', at: now }, 9)
  await store.tickets.put('alice', { id: 't1', device: 'phone', value: '{}', ttlMs: 60_000 })
  const subscription = { device: 'phone', sealed: 's', expiresAt: now + 60_000 }
  await store.pushSubscriptions.put('alice', subscription, { now, max: 9 })
  const revocation = { user: 'alice', device: null, issuedAfter: now, kind: 'sign_out' as const, at: now }
  await store.revocations.put({ ...revocation, expiresAt: now + 60_000 }, { max: 9 })
  const credential = { expected: null, next: '{}', expiresAt: now + 60_000 }
  await store.deviceCredentials.replace({ user: 'alice', device: 'phone' }, credential, { now, max: 256 })
  await store.deviceCredentials.putCode('digest', { user: 'alice', device: 'phone' }, 60_000)
  await store.deviceCredentials.useNonce('nonce', 60_000)
  await store.cachedAnswers.put('r1', { tag: 'a', value: '{}' }, { keepMs: 60_000 })
  await store.counters.take('alice', { name: 'calls', windowMs: 60_000, max: 9, want: 1, now })
  await store.contacts.record('alice', { peer: 'bob', outcome: 'called', keepMs: 60_000, backoffMs: 0 }, clock.now())
  await store.leases.take('alice', lease, { active: 1 })
  const event = { version: 1, tag: 't1', index: 0, type: 'call.ended', envelope: '{}', expiresAt: null }
  await store.webhookQueues.append({ destination: 'd1', source: call }, event, now)
  await store.deliveryLog.add('d1', ['{}'], DELIVERY_LOG)
  await store.callNotes.add('c1', ['{}'], { max: CALL_NOTES_MAX, keepMs: 60_000 })
  t.strictSame(
    Object.entries(store.kept()).filter(([, size]) => size === 0),
    [],
    'each part holds something'
  )
  await store.aggregates.commit(call, commitOf(fixture, 1, { expireInMs: 600_000 }))
  await store.rooms.commit('r1', roomCommitOf(fixture, { expireInMs: 600_000 }))
  await store.leases.release('alice', lease.holder)
  const kept = () => Object.entries(store.kept()).filter(([, size]) => size > 0)
  for (let day = 0; day < 8; day++) clock.advance(86_400_000)
  t.strictSame(kept(), [['rooms', 1]], 'only the ban is kept')
  clock.skip(LASTING_MS)
  clock.advance(30_000)
  t.strictSame(kept(), [])
})
