import type { Test } from 'tap'
import type { ContactUpdate } from '../../../src/store/contacts.js'
import type { StoreFixture } from '../contract.js'
import { call, commitOf, touch } from './fixtures.js'

const YEAR_MS = 365 * 24 * 3_600_000

export function contactContract(t: Test, fixture: StoreFixture): void {
  const { contacts } = fixture.store

  const updateOf = (
    peer: string,
    outcome: ContactUpdate['outcome'],
    parts: Partial<ContactUpdate> = {}
  ): ContactUpdate => ({
    ...{ peer, outcome, keepMs: 60_000, backoffMs: 5_000 },
    ...parts
  })
  const record = (user: string, ...update: Parameters<typeof updateOf>) =>
    contacts.record(user, updateOf(...update), fixture.clock.now())

  t.test('a peer without a record is neither known nor blocked, and has no back-off', async t => {
    const reach = { isReachable: false, isOnline: false, asleep: [] }
    const none = { isBlocked: false, isKnown: false, backoff: null, ...reach, roomIds: [] }
    t.strictSame(await contacts.readCallee(fixture.id('bob'), 'alice', fixture.clock.now()), none)
  })

  t.test('readCallee says whether a device is registered, and which rooms the devices are in', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    for (const [device, roomId] of [
      ['phone', 'r1'],
      ['laptop', 'r1'],
      ['laptop', 'r2']
    ] as const) {
      await fixture.store.memberships.add({ user: bob, device, participantId: 'p' }, roomId, {
        max: 9,
        now: fixture.clock.now()
      })
    }
    const { isReachable, roomIds } = await contacts.readCallee(bob, 'alice', fixture.clock.now())
    t.strictSame([isReachable, [...roomIds].sort()], [true, ['r1', 'r2']])
    const later = fixture.clock.now() + fixture.options.retentionMs + 1
    t.match(await contacts.readCallee(bob, 'alice', later), { isReachable: false })
  })

  t.test('a user knows the peers they called or answered; the peers do not know the user for that', async t => {
    for (const outcome of ['called', 'answered'] as const) {
      const [bob, alice] = [fixture.id('bob'), fixture.id('alice')]
      await record(bob, alice, outcome)
      t.match(await contacts.readCallee(bob, alice, fixture.clock.now()), { isKnown: true, isBlocked: false })
      t.match(await contacts.readCallee(alice, bob, fixture.clock.now()), { isKnown: false })
    }
  })

  t.test('each failure in a row doubles the back-off, up to a bound; an answer ends it', async t => {
    const bob = fixture.id('bob')
    const now = fixture.clock.now()
    const backoff = async () => (await contacts.readCallee(bob, 'alice', now)).backoff
    for (const [n, waitMs] of [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000].entries()) {
      await record(bob, 'alice', 'failed')
      t.strictSame(await backoff(), { failures: n + 1, retryAt: now + waitMs })
    }
    t.match(await contacts.readCallee(bob, 'alice', now), { isKnown: false })
    await record(bob, 'alice', 'called')
    t.match(await backoff(), { failures: 8 }, 'a call to the peer does not end it')
    await record(bob, 'alice', 'answered')
    t.equal(await backoff(), null)
    await record(bob, 'alice', 'failed', { backoffMs: 0 })
    t.equal(await backoff(), null, 'there is no back-off with backoffMs 0')
  })

  t.test('a commit records its contact update', async t => {
    const [bob, ref] = [fixture.id('bob'), call(fixture.id('c'))]
    const mail = [{ user: bob, entries: [], contacts: [updateOf('alice', 'failed'), updateOf('carol', 'called')] }]
    await fixture.store.aggregates.commit(ref, commitOf(fixture, 0, { mail }))
    t.match(await contacts.readCallee(bob, 'alice', fixture.clock.now()), { backoff: { failures: 1 } })
    await fixture.store.aggregates.commit(ref, commitOf(fixture, 1, { mail }))
    t.match(await contacts.readCallee(bob, 'alice', fixture.clock.now()), { backoff: { failures: 2 } })
  })

  t.test('blocks are listed, bounded, idempotent, and kept for each user', async t => {
    const bob = fixture.id('bob')
    const options = { now: fixture.clock.now(), max: 2 }
    t.equal(await contacts.block(bob, 'mallory', options), true)
    t.equal(await contacts.block(bob, 'eve', options), true)
    t.equal(await contacts.block(bob, 'mallory', options), true, 'again')
    t.equal(await contacts.block(bob, 'trudy', options), false, 'one too many')
    t.strictSame(await contacts.blocks(bob, options.now), ['eve', 'mallory'])
    t.match(await contacts.readCallee(bob, 'mallory', options.now), { isBlocked: true })
    t.match(await contacts.readCallee(bob, 'trudy', options.now), { isBlocked: false })
    t.match(await contacts.readCallee(fixture.id('carol'), 'mallory', options.now), { isBlocked: false })
    await contacts.unblock(bob, 'mallory')
    await contacts.unblock(bob, 'mallory')
    t.strictSame(await contacts.blocks(bob, options.now), ['eve'])
    t.equal(await contacts.block(bob, 'trudy', options), true)
  })

  t.test('a block expires after a year without use; its use renews it', async t => {
    const bob = fixture.id('bob')
    const now = fixture.clock.now()
    for (const peer of ['mallory', 'eve']) await contacts.block(bob, peer, { now, max: 2 })
    await contacts.readCallee(bob, 'eve', now + YEAR_MS / 2)
    t.strictSame(await contacts.blocks(bob, now + YEAR_MS), ['eve'])
    t.match(await contacts.readCallee(bob, 'mallory', now + YEAR_MS), { isBlocked: false })
    t.equal(
      await contacts.block(bob, 'trudy', { now: now + YEAR_MS, max: 2 }),
      true,
      'the expired block does not count'
    )
  })
}
