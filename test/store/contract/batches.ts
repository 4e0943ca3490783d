import type { Test } from 'tap'
import type { MailboxEntry } from '../../../src/store/mail.js'
import type { Lab } from '../contract.js'
import { appendAll, appendOf, call, chained, connect, mail, mailOf, messageOf, read, texts, touch } from './given.js'

export function batchContract(t: Test, lab: Lab): void {
  const { mailboxes, leases } = lab.store

  t.test('several commits are appended in their order, each with its tag, without a hole', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendOf(lab, 1))
    const entries = [mail('a'), mail('b')]
    const result = await mailboxes.append(bob, appendAll(lab, [mailOf(2, { entries }), mailOf(3), mailOf(7)]))
    t.strictSame(result, { status: 'appended', online: 0, queued: 1 })
    const kept = await read(lab, bob, 'phone', 'start')
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

  t.test('open streams hear all of it, chained over the commits', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const heard: unknown[] = []
    let done = () => {}
    const all = new Promise<void>(resolve => {
      done = resolve
    })
    const stop = await lab.store.wakeups.subscribe(bob, wakeup => {
      heard.push(...chained(wakeup).map(({ prevTag, seq, tag }) => [prevTag, seq, tag]))
      if (heard.length === 3) done()
    })
    await mailboxes.append(bob, appendAll(lab, [mailOf(1), mailOf(2), mailOf(3)]))
    await all
    t.strictSame(heard, [
      ['birth', 1, 't1'],
      ['t1', 2, 't2'],
      ['t2', 3, 't3']
    ])
    await stop()
  })

  t.test('appendEach is append for each user: their own devices, in their own order, and once', async t => {
    const [bob, carol, dave] = [lab.id('bob'), lab.id('carol'), lab.id('dave')]
    for (const device of ['phone', 'laptop', 'watch']) await touch(lab, bob, device)
    await touch(lab, carol, 'phone')
    const [a, b, c] = [mail('a'), mail('b'), mail('c')]
    const [phone, laptop] = [{ device: 'phone' }, { device: 'laptop' }]
    const source = call(lab.id('c'))
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
    for (let n = 0; n < 2; n++) await mailboxes.appendEach(appends, lab.clock.now())
    t.strictSame(await texts(lab, carol, 'phone'), ['b', 'c'])
    t.strictSame(await texts(lab, bob, 'phone'), ['a', 'b', 'c'])
    t.strictSame(await texts(lab, bob, 'laptop'), ['a', 'b', 'b'])
    t.strictSame(await texts(lab, bob, 'watch'), [])
    const kept = await read(lab, bob, 'laptop', 'start')
    t.strictSame(kept.status === 'ok' && kept.events.map(({ seq, tag }) => [seq, tag]), [
      [1, 't1'],
      [2, 't2'],
      [3, 't4']
    ])
    t.equal((await mailboxes.append(bob, appendOf(lab, 4, { source }))).status, 'duplicate', 'what was taken is known')
    await mailboxes.appendEach([], lab.clock.now())
  })

  t.test('each commit is judged on its own: those taken already are dropped, the others are not', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendAll(lab, [mailOf(1), mailOf(3)]))
    const mixed = appendAll(lab, [mailOf(1), mailOf(3), mailOf(4), mailOf(6)])
    t.strictSame(await mailboxes.append(bob, mixed), { status: 'appended', online: 0, queued: 1 })
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v3', 'v4', 'v6'])
    t.strictSame(await mailboxes.append(bob, mixed), { status: 'duplicate', online: 0, queued: 0 })
    t.equal((await mailboxes.append(bob, appendOf(lab, 4))).status, 'duplicate', 'each of them is remembered')
    t.equal((await mailboxes.append(bob, appendOf(lab, 6))).status, 'duplicate')
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v3', 'v4', 'v6'])
    t.match(await mailboxes.send(bob, messageOf(lab, 5)), { status: 'behind' })
  })

  t.test('the same commit twice in one append is taken once', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendAll(lab, [mailOf(1), mailOf(1), mailOf(2)]))
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v2'])
  })

  t.test('more commits at once than are remembered are all taken, and the newest are remembered', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const commits = Array.from({ length: 20 }, (_, n) => mailOf(n + 1))
    await mailboxes.append(bob, appendAll(lab, commits))
    t.equal((await texts(lab, bob, 'phone')).length, 20)
    t.equal((await mailboxes.append(bob, appendAll(lab, commits))).status, 'duplicate')
    const other = (version: number) => mailboxes.append(bob, appendOf(lab, version, { tag: 'other' }))
    t.equal((await other(12)).status, 'duplicate', 'older than all that is remembered')
    t.equal((await other(13)).status, 'appended', 'another history')
  })

  t.test('a history that a failover set back is heard again from where it differs', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendAll(lab, [mailOf(1), mailOf(2), mailOf(3)]))
    const anew = (version: number) => mailOf(version, { tag: `n${version}`, entries: [mail(`n${version}`)] })
    const result = await mailboxes.append(bob, appendAll(lab, [mailOf(1), anew(2), anew(3)]))
    t.equal(result.status, 'appended')
    t.strictSame(await texts(lab, bob, 'phone'), ['v1', 'v2', 'v3', 'n2', 'n3'])
    t.equal((await mailboxes.append(bob, appendAll(lab, [mailOf(1), anew(2), anew(3)]))).status, 'duplicate')
  })

  t.test('from where another history differs nothing of the first is remembered', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendAll(lab, [mailOf(1), mailOf(2), mailOf(3)]))
    await mailboxes.append(bob, appendOf(lab, 2, { tag: 'other' }))
    t.equal((await mailboxes.append(bob, appendOf(lab, 3))).status, 'appended')
    t.equal((await mailboxes.append(bob, appendOf(lab, 1))).status, 'duplicate')
    t.equal((await mailboxes.append(bob, appendOf(lab, 2))).status, 'appended')
  })

  t.test('the devices that count are those that took the last commit that was taken', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    await touch(lab, bob, 'laptop')
    await touch(lab, bob, 'tablet')
    const toPhone = (version: number) =>
      mailOf(version, { entries: [mail('x', { device: 'phone' }), mail('y', { device: 'phone' })] })
    const counts = async (...commits: Parameters<typeof appendAll>[1]) => {
      const { online, queued } = await mailboxes.append(bob, appendAll(lab, commits))
      return { online, queued }
    }
    t.strictSame(await counts(mailOf(1), toPhone(2)), { online: 1, queued: 0 })
    t.strictSame(await counts(toPhone(3), mailOf(4)), { online: 1, queued: 2 })
    t.strictSame(await counts(mailOf(5), toPhone(2)), { online: 1, queued: 2 }, 'the last one is a duplicate')
    t.strictSame(
      await counts(mailOf(6), mailOf(7, { entries: [] })),
      { online: 0, queued: 0 },
      'the last one is a mark'
    )
  })

  t.test('a lease is released with any of the commits, taken or not', async t => {
    const bob = lab.id('bob')
    const release = mailOf(2, { release: 'some-call/alice' })
    for (const commits of [
      [mailOf(1), release, mailOf(3)],
      [mailOf(1), release],
      [release, mailOf(4)]
    ]) {
      for (const [holder, peer] of [
        ['some-call/alice', 'alice'],
        ['some-call/carol', 'carol']
      ] as const)
        await leases.take(bob, { holder, peer, kind: 'ringing', role: 'callee', at: lab.clock.now() }, {})
      await mailboxes.append(bob, appendAll(lab, commits))
      t.strictSame(
        (await leases.list(bob)).map(({ holder }) => holder),
        ['some-call/carol']
      )
    }
  })

  t.test('commits of one batch release the leases of several holders', async t => {
    const bob = lab.id('bob')
    for (const peer of ['alice', 'carol', 'dave']) {
      const lease = { holder: `some-call/${peer}`, peer, kind: 'ringing', role: 'callee', at: lab.clock.now() } as const
      await leases.take(bob, lease, {})
    }
    const releasing = (version: number, caller: string) =>
      mailOf(version, { entries: [], release: `some-call/${caller}` })
    await mailboxes.append(bob, appendAll(lab, [releasing(2, 'alice'), releasing(3, 'dave')]))
    t.strictSame(
      (await leases.list(bob)).map(({ holder }) => holder),
      ['some-call/carol']
    )
  })

  t.test('a device that is gone for too long takes nothing, and its old events do not come back', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    await mailboxes.append(bob, appendOf(lab, 1))
    lab.clock.advance(lab.options.retentionMs)
    await touch(lab, bob, 'laptop')
    lab.clock.advance(1)
    const result = await mailboxes.append(bob, appendAll(lab, [mailOf(2), mailOf(3)]))
    t.strictSame(result, { status: 'appended', online: 0, queued: 1 })
    await touch(lab, bob, 'phone')
    t.strictSame(await texts(lab, bob, 'phone'), [])
    t.strictSame(await texts(lab, bob, 'laptop'), ['v2', 'v3'])
  })

  t.test('dispatchers that overlap leave each commit once, in order', async t => {
    const bob = lab.id('bob')
    await touch(lab, bob, 'phone')
    const windows = Array.from({ length: 30 }, (_, n) => [mailOf(n + 1), mailOf(n + 2), mailOf(n + 3)])
    await Promise.all(windows.map(commits => mailboxes.append(bob, appendAll(lab, commits))))
    t.strictSame(
      await texts(lab, bob, 'phone'),
      Array.from({ length: 32 }, (_, n) => `v${n + 1}`)
    )
  })
}
