// A direct event is appended only if the commit that it was decided on still stands. In memory and on one server the commit is compared with the
// state of the aggregate; on a Cluster with the commits that the recipient's mailboxes have taken. A failover may lose either.
import type { Test } from 'tap'
import type { RedisStore } from '../../../src/store/redis/redis.js'
import type { StoreFixture } from '../contract.js'
import { call, commitOf, decidedOn, directEvent, mail, mailOf, mailTo, texts, touch } from './fixtures.js'

export function currentCommitContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, mailboxes } = fixture.store

  t.test(
    'a direct event is refused if its commit is not the one that stands, or the aggregate does not exist',
    async t => {
      const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
      await touch(fixture, bob, 'phone')
      const send = (version: number) => mailboxes.send(bob, directEvent(fixture, version, decidedOn(ref, version)))
      t.strictSame(await send(1), { status: 'behind', newest: 0 }, 'there is no commit')
      await aggregates.commit(ref, commitOf(fixture, 0, { mail: [mailTo(bob, 'v1')] }))
      t.strictSame(await send(2), { status: 'behind', newest: 1 })
      t.strictSame(await send(1), { status: 'queued' })
      t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v1'])
    }
  )

  t.test('a direct event does not overtake mail that is held back', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    await touch(fixture, bob, 'phone')
    await aggregates.commit(ref, commitOf(fixture, 0))
    await aggregates.commit(ref, commitOf(fixture, 1, { mail: [mailTo(bob, 'held')], isHeld: true }))
    t.match(await mailboxes.send(bob, directEvent(fixture, 1, decidedOn(ref, 1))), { status: 'behind', newest: 2 })
    t.strictSame(await texts(fixture, bob, 'phone'), [])
  })
}

export function takenCommitContract(t: Test, fixture: StoreFixture<RedisStore>): void {
  const { mailboxes } = fixture.store
  const source = call('some-call')
  const deliver = (user: string, commit: ReturnType<typeof mailOf>) =>
    mailboxes.deliver(user, { source, commits: [commit], now: fixture.clock.now() })
  const send = (user: string, version: number, tag?: string) =>
    mailboxes.send(user, directEvent(fixture, version, decidedOn(source, version, tag)))

  t.test('a direct event is accepted only on the newest commit that the mailboxes have taken', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    for (const version of [1, 2]) await deliver(bob, mailOf(version))
    t.strictSame(await send(bob, 1), { status: 'behind', newest: 2 })
    t.strictSame(await send(bob, 2, 'forgotten'), { status: 'behind', newest: 2 })
    t.strictSame(await send(bob, 2), { status: 'queued' })
    await deliver(bob, mailOf(4, { entries: [] }))
    t.match(await send(bob, 3), { status: 'behind' }, 'a commit without an event for the user counts, too')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v2', 'v2'])
  })

  t.test('versions of a new history replace those that a failover lost', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    for (const version of [1, 2, 3]) await deliver(bob, mailOf(version))
    await deliver(bob, mailOf(2, { tag: 'other' }))
    t.match(await send(bob, 2, 'other'), { status: 'queued' }, 'version 3 of the old history is forgotten')
  })

  t.test(
    'a commit that the mailboxes do not know is remembered with the direct event that was decided on it',
    async t => {
      const bob = fixture.id('bob')
      await touch(fixture, bob, 'phone')
      await deliver(bob, mailOf(2))
      const refused = directEvent(fixture, 9, { ...decidedOn(source, 9), expectedHead: { seq: 7, tag: 'other' } })
      t.match(await mailboxes.send(bob, refused), { status: 'moved' })
      t.match(await send(bob, 2), { status: 'queued' }, 'a refused event leaves no trace')
      t.match(await send(bob, 7), { status: 'queued' })
      t.strictSame(await send(bob, 2), { status: 'behind', newest: 7 })
      for (const [version, status] of [
        [2, 'duplicate'],
        [7, 'duplicate'],
        [8, 'appended']
      ] as const)
        t.match(await deliver(bob, mailOf(version)), { status })
      t.strictSame(await texts(fixture, bob, 'phone'), ['v2', 'v2', 'v7', 'v8'])
    }
  )

  t.test('after the last commit of a life only the first commit of another life is taken', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const last = { release: 'some-call/alice', ends: true }
    await deliver(bob, mailOf(1, { begins: true }))
    await deliver(bob, mailOf(3, last))
    const status = async (version: number, parts: Parameters<typeof mailOf>[1] = {}) =>
      (await deliver(bob, mailOf(version, parts))).status
    t.equal(await status(3, last), 'duplicate')
    t.equal(await status(1, { begins: true }), 'duplicate')
    t.equal(await status(3, { ...last, tag: 'anew' }), 'duplicate', 'an end that was lost and made anew')
    t.equal(await status(7, { ...last, tag: 'anew' }), 'duplicate')
    t.equal(await status(2, { tag: 'anew' }), 'over', 'the source has lost its end')
    t.equal(await status(4), 'over')
    t.match(await send(bob, 2), { status: 'behind', newest: 3 })
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v3'])
    t.equal(await status(4, { begins: true }), 'appended')
    t.equal(await status(5), 'appended')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v3', 'v4', 'v5'])
  })

  t.test('a commit after an end that the mailboxes have taken resolves with isOver', async t => {
    const [ref, bob] = [call(fixture.id('c')), fixture.id('bob')]
    const { aggregates } = fixture.store
    await touch(fixture, bob, 'phone')
    await aggregates.commit(ref, commitOf(fixture, 0, { mail: [mailTo(bob, 'first', { begins: true })] }))
    await aggregates.commit(ref, commitOf(fixture, 1, { mail: [mailTo(bob, 'last', { release: 'c/x', ends: true })] }))
    t.match(await aggregates.commit(ref, commitOf(fixture, 2, { mail: [mailTo(bob, 'late')] })), { isOver: true })
    t.strictSame(await texts(fixture, bob, 'phone'), ['first', 'last'])
    const anew = { entries: [mail('anew')], begins: true }
    t.match(await aggregates.commit(ref, commitOf(fixture, 3, { mail: [{ user: bob, ...anew }] })), { isOver: false })
  })
}
