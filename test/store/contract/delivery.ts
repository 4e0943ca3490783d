// RedisMailboxes.deliver: mail from an outbox, which may be delivered more than once.
import type { Test } from 'tap'
import type { CommitMail } from '../../../src/store/redis/mailbox-format.js'
import type { RedisStore } from '../../../src/store/redis/redis.js'
import type { StoreFixture } from '../contract.js'
import { call, connect, mail, mailOf, texts, touch } from './fixtures.js'

export function deliveryContract(t: Test, fixture: StoreFixture<RedisStore>): void {
  const { mailboxes, leases } = fixture.store
  const deliver = (user: string, ...commits: CommitMail[]) =>
    mailboxes.deliver(user, { source: call('some-call'), commits, now: fixture.clock.now() })

  t.test('the counted devices are those that got an event of the last commit that was not dropped', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    await touch(fixture, bob, 'laptop')
    await touch(fixture, bob, 'tablet')
    const toPhone = (version: number) =>
      mailOf(version, { entries: [mail('x', { device: 'phone' }), mail('y', { device: 'phone' })] })
    const counts = async (...commits: CommitMail[]) => {
      const { online, queued } = await deliver(bob, ...commits)
      return { online, queued }
    }
    t.strictSame(await counts(mailOf(1), toPhone(2)), { online: 1, queued: 0 })
    t.strictSame(await counts(toPhone(3), mailOf(4)), { online: 1, queued: 2 })
    t.strictSame(await counts(mailOf(5), toPhone(2)), { online: 1, queued: 2 }, 'the last commit is a duplicate')
    t.strictSame(
      await counts(mailOf(6), mailOf(7, { entries: [] })),
      { online: 0, queued: 0 },
      'the last commit has no event'
    )
  })

  t.test('a commit that is delivered twice in one call is taken once', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await deliver(bob, mailOf(1), mailOf(1), mailOf(2))
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v2'])
  })

  t.test('the last commit releases the lease of its holder, taken or repeated, and no other lease', async t => {
    const bob = fixture.id('bob')
    const release = mailOf(2, { release: 'some-call/alice', ends: true })
    for (const commits of [
      [mailOf(1), release, mailOf(3)],
      [mailOf(1), release],
      [release, mailOf(4)]
    ]) {
      for (const [holder, peer] of [
        ['some-call/alice', 'alice'],
        ['some-call/carol', 'carol']
      ] as const)
        await leases.take(bob, { holder, peer, kind: 'ringing', role: 'callee', at: fixture.clock.now() }, {})
      await deliver(bob, ...commits)
      t.strictSame(
        (await leases.list(bob)).map(({ holder }) => holder),
        ['some-call/carol']
      )
    }
  })

  t.test('a commit before the last one releases the lease once: a repeat leaves one that was taken since', async t => {
    const bob = fixture.id('bob')
    const lease = { holder: 'some-call/alice', peer: 'alice', kind: 'ringing', role: 'phone', at: 1 } as const
    await leases.take(bob, lease, {})
    await deliver(bob, mailOf(1, { begins: true }), mailOf(2, { release: lease.holder }))
    t.strictSame(await leases.list(bob), [])
    await leases.take(bob, lease, {})
    await deliver(bob, mailOf(2, { release: lease.holder }))
    t.strictSame(await leases.list(bob), [lease])
  })

  t.test('commits of one batch release the leases of several holders', async t => {
    const bob = fixture.id('bob')
    for (const peer of ['alice', 'carol', 'dave']) {
      const lease = {
        holder: `some-call/${peer}`,
        peer,
        kind: 'ringing',
        role: 'callee',
        at: fixture.clock.now()
      } as const
      await leases.take(bob, lease, {})
    }
    const releasing = (version: number, caller: string) =>
      mailOf(version, { entries: [], release: `some-call/${caller}`, ends: true })
    await deliver(bob, releasing(2, 'alice'), releasing(3, 'dave'))
    t.strictSame(
      (await leases.list(bob)).map(({ holder }) => holder),
      ['some-call/carol']
    )
  })
}
