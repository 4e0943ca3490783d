import type { Test } from 'tap'
import type { MailboxEntry } from '../../../src/store/mail.js'
import type { StoreFixture } from '../contract.js'
import { append, appendAll, appendOf, call, chained, connect, mail, mailOf, read, texts, touch } from './fixtures.js'

export function batchContract(t: Test, fixture: StoreFixture): void {
  const { mailboxes } = fixture.store

  t.test('several commits are appended in order, each with its tag, without gaps', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await append(fixture, bob, appendOf(1))
    const entries = [mail('a'), mail('b')]
    await append(fixture, bob, appendAll([mailOf(2, { entries }), mailOf(3), mailOf(7)]))
    const kept = await read(fixture, bob, 'phone', 'start')
    t.strictSame(
      kept.status === 'ok' && kept.events.map(({ seq, tag, envelope }) => [seq, tag, JSON.parse(envelope).text]),
      [
        [1, 't1', 'v1'],
        [2, 't2', 'a'],
        [3, 't2', 'b'],
        [4, 't3', 'v3'],
        [5, 't7', 'v7']
      ]
    )
    t.match(kept, { head: { seq: 5, tag: 't7' } })
  })

  t.test('an open stream receives the events of several commits, chained by tags', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const received: unknown[] = []
    let done = () => {}
    const all = new Promise<void>(resolve => {
      done = resolve
    })
    const stop = await fixture.store.wakeups.subscribe(bob, wakeup => {
      received.push(...chained(wakeup).map(({ prevTag, seq, tag }) => [prevTag, seq, tag]))
      if (received.length === 3) done()
    })
    await append(fixture, bob, appendAll([mailOf(1), mailOf(2), mailOf(3)]))
    await all
    t.strictSame(received, [
      ['birth', 1, 't1'],
      ['t1', 2, 't2'],
      ['t2', 3, 't3']
    ])
    await stop()
  })

  t.test('appendEach delivers to several users: each to their own devices, in their own order, once', async t => {
    const [bob, carol, dave] = [fixture.id('bob'), fixture.id('carol'), fixture.id('dave')]
    for (const device of ['phone', 'laptop', 'watch']) await touch(fixture, bob, device)
    await touch(fixture, carol, 'phone')
    const [a, b, c] = [mail('a'), mail('b'), mail('c')]
    const [phone, laptop] = [{ device: 'phone' }, { device: 'laptop' }]
    const source = call(fixture.id('c'))
    const commit = (version: number, ...entries: MailboxEntry[]) => ({ version, tag: `t${version}`, entries })
    const appends = [
      {
        ...{ user: carol, source },
        commits: [commit(2, { ...b, ...phone }), commit(3, { ...c, ...phone })]
      },
      {
        ...{ user: bob, source },
        commits: [
          commit(1, { ...a, ...phone }, { ...a, ...laptop }),
          commit(2, { ...b, except: ['watch'] }, { ...c, ...phone }),
          commit(4, { ...b, ...laptop })
        ]
      },
      { user: dave, source, commits: [commit(1, { ...a, ...phone })] }
    ]
    for (let n = 0; n < 2; n++) await mailboxes.appendEach(appends, fixture.clock.now())
    t.strictSame(await texts(fixture, carol, 'phone'), ['b', 'c'])
    t.strictSame(await texts(fixture, bob, 'phone'), ['a', 'b', 'c'])
    t.strictSame(await texts(fixture, bob, 'laptop'), ['a', 'b', 'b'])
    t.strictSame(await texts(fixture, bob, 'watch'), [])
    const kept = await read(fixture, bob, 'laptop', 'start')
    t.strictSame(kept.status === 'ok' && kept.events.map(({ seq, tag }) => [seq, tag]), [
      [1, 't1'],
      [2, 't2'],
      [3, 't4']
    ])
    t.equal(await append(fixture, bob, appendOf(4, { source })), 'duplicate', 'the commit is remembered')
    await mailboxes.appendEach([], fixture.clock.now())
  })

  t.test('of several commits those that were taken before are dropped, and the others are appended', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await append(fixture, bob, appendAll([mailOf(1), mailOf(3)]))
    const mixed = appendAll([mailOf(1), mailOf(3), mailOf(4), mailOf(6)])
    t.equal(await append(fixture, bob, mixed), 'appended')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v3', 'v4', 'v6'])
    t.equal(await append(fixture, bob, mixed), 'duplicate')
    t.equal(await append(fixture, bob, appendOf(4)), 'duplicate', 'each commit is remembered')
    t.equal(await append(fixture, bob, appendOf(6)), 'duplicate')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v3', 'v4', 'v6'])
  })

  t.test('more commits at once than are remembered are all taken, and the newest are remembered', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const commits = Array.from({ length: 20 }, (_, n) => mailOf(n + 1))
    await append(fixture, bob, appendAll(commits))
    t.equal((await texts(fixture, bob, 'phone')).length, 20)
    t.equal(await append(fixture, bob, appendAll(commits)), 'duplicate')
    const other = (version: number) => append(fixture, bob, appendOf(version, { tag: 'other' }))
    t.equal(await other(12), 'duplicate', 'older than all remembered commits')
    t.equal(await other(13), 'appended', 'another history')
  })

  t.test('after a failover the commits of the new history are appended from the first that differs', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await append(fixture, bob, appendAll([mailOf(1), mailOf(2), mailOf(3)]))
    const anew = (version: number) => mailOf(version, { tag: `n${version}`, entries: [mail(`n${version}`)] })
    const result = await append(fixture, bob, appendAll([mailOf(1), anew(2), anew(3)]))
    t.equal(result, 'appended')
    t.strictSame(await texts(fixture, bob, 'phone'), ['v1', 'v2', 'v3', 'n2', 'n3'])
    t.equal(await append(fixture, bob, appendAll([mailOf(1), anew(2), anew(3)])), 'duplicate')
  })

  t.test('from the first version of a new history on, the old history is forgotten', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await append(fixture, bob, appendAll([mailOf(1), mailOf(2), mailOf(3)]))
    await append(fixture, bob, appendOf(2, { tag: 'other' }))
    t.equal(await append(fixture, bob, appendOf(3)), 'appended')
    t.equal(await append(fixture, bob, appendOf(1)), 'duplicate')
    t.equal(await append(fixture, bob, appendOf(2)), 'appended')
  })

  t.test('an expired device gets no event, and its old events do not come back', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    await append(fixture, bob, appendOf(1))
    fixture.clock.advance(fixture.options.retentionMs)
    await touch(fixture, bob, 'laptop')
    fixture.clock.advance(1)
    await append(fixture, bob, appendAll([mailOf(2), mailOf(3)]))
    await touch(fixture, bob, 'phone')
    t.strictSame(await texts(fixture, bob, 'phone'), [])
    t.strictSame(await texts(fixture, bob, 'laptop'), ['v2', 'v3'])
  })

  t.test('concurrent publishers of overlapping commits append each commit once, in order', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const windows = Array.from({ length: 30 }, (_, n) => [mailOf(n + 1), mailOf(n + 2), mailOf(n + 3)])
    await Promise.all(windows.map(commits => append(fixture, bob, appendAll(commits))))
    t.strictSame(
      await texts(fixture, bob, 'phone'),
      Array.from({ length: 32 }, (_, n) => `v${n + 1}`)
    )
  })
}
