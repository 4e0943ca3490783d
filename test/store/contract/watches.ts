import type { Test } from 'tap'
import type { FanoutOptions } from '../../../src/store/fanout.js'
import type { WatcherRecord } from '../../../src/store/watches.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'
import { claimOf, commitOf } from './fixtures.js'
import { nextBatch } from './room-fixtures.js'

const ALL = { until: Number.MAX_SAFE_INTEGER, limit: 1000 }

export function watchContract(t: Test, fixture: StoreFixture): void {
  const { watches } = fixture.store
  const watcher = (device = 'phone') => ({ user: fixture.id('alice'), device })
  const sorted = async (user: string) =>
    [...(await watches.watchers(user, ALL))].sort((a: WatcherRecord, b: WatcherRecord) =>
      a.device < b.device ? -1 : 1
    )

  t.test('each device has its own list, and put replaces it', async t => {
    const phone = watcher()
    const laptop = { ...phone, device: 'laptop' }
    t.strictSame(await watches.list(phone), [])
    await watches.put(phone, ['bob', 'carol', 'a.b~c@d-e_f'])
    t.strictSame(await watches.list(phone), ['bob', 'carol', 'a.b~c@d-e_f'])
    t.strictSame(
      await watches.put(phone, ['carol']),
      ['bob', 'carol', 'a.b~c@d-e_f'],
      'put resolves to the previous list'
    )
    t.strictSame(await watches.list(phone), ['carol'])
    t.strictSame(await watches.list(laptop), [])
    t.strictSame(await watches.put(laptop, ['dan']), [])
    t.strictSame(await watches.put(phone, []), ['carol'])
    t.strictSame(await watches.put(phone, []), [])
    t.strictSame([await watches.list(phone), await watches.list(laptop)], [[], ['dan']])
  })

  t.test('a watcher is added once, renewed and removed', async t => {
    const bob = fixture.id('bob')
    const phone = watcher()
    const laptop = { ...phone, device: 'laptop' }
    t.strictSame(await sorted(bob), [])
    t.equal(await watches.add(bob, { ...phone, at: 1_000 }, 9), true)
    t.equal(await watches.add(bob, { ...laptop, at: 2_000 }, 9), true)
    t.equal(await watches.add(bob, { ...phone, at: 3_000 }, 9), true)
    t.strictSame(await sorted(bob), [
      { ...laptop, at: 2_000 },
      { ...phone, at: 3_000 }
    ])
    await watches.remove(bob, laptop)
    await watches.remove(bob, laptop)
    t.strictSame(await sorted(bob), [{ ...phone, at: 3_000 }])
    t.strictSame(await sorted(fixture.id('carol')), [], 'another user')
  })

  t.test('isWatched says whether a user has watchers, and watchers lists them, the oldest first', async t => {
    const bob = fixture.id('bob')
    const alice = fixture.id('alice')
    t.equal(await watches.isWatched(bob), false)
    for (const [n, at] of [3_000, 1_000, 4_000, 2_000].entries()) {
      await watches.add(bob, { user: alice, device: `d${n}`, at }, 9)
    }
    t.equal(await watches.isWatched(bob), true)
    const due = async (until: number, limit: number) =>
      (await watches.watchers(bob, { until, limit })).map(({ device, at }) => `${device} ${at}`)
    t.strictSame(await due(3_000, 9), ['d1 1000', 'd3 2000', 'd0 3000'])
    t.strictSame(await due(3_000, 2), ['d1 1000', 'd3 2000'])
    t.strictSame(await due(999, 9), [])
    for (let n = 0; n < 4; n++) await watches.remove(bob, { user: alice, device: `d${n}` })
    t.equal(await watches.isWatched(bob), false)
  })

  t.test('concurrent adds never exceed the maximum, and watchers can be renewed', async t => {
    const bob = fixture.id('bob')
    const all = Array.from({ length: 20 }, (_, n) => ({ ...watcher(`d${n}`), at: 1_000 }))
    const added = await Promise.all(all.map(each => watches.add(bob, each, 5)))
    t.equal(added.filter(Boolean).length, 5)
    t.equal((await sorted(bob)).length, 5)
    const [renewed] = all.filter((_, n) => added[n])
    const [refused] = all.filter((_, n) => !added[n])
    if (!renewed || !refused) return t.fail('some were added and some were not')
    t.equal(await watches.add(bob, { ...renewed, at: 2_000 }, 5), true)
    t.equal(await watches.add(bob, refused, 5), false)
    await watches.remove(bob, renewed)
    t.equal(await watches.add(bob, refused, 5), true)
  })

  const commitPresence = (bob: string, expected: number) => {
    const event = { type: 'presence.changed', timestamp: '2026-11-21T10:00:00.000Z', data: { n: expected + 1 } }
    return fixture.store.aggregates.commit(
      { kind: 'presence', id: bob },
      commitOf(fixture, expected, { log: [{ do: 'publish', event }] })
    )
  }
  const next = (id: string, parts?: Partial<FanoutOptions>) => nextBatch(fixture, { kind: 'presence', id }, parts)
  const published = (version: number) => ({ published: { version, tag: `t${version}` } })
  /** The versions of the next batch, or the status of another step. */
  async function versions(user: string, parts?: Partial<FanoutOptions>) {
    const step = await next(user, parts)
    return step.status === 'batch' ? step.entries.map(({ version }) => version) : step.status
  }

  t.test('a batch has a page of watchers, and the pages have all of them', async t => {
    const bob = fixture.id('bob')
    t.strictSame(await next(bob), { status: 'idle' })
    const all = Array.from({ length: 1_000 }, (_, n) => ({ ...watcher(`d${n}`), at: 1_000 }))
    await Promise.all(all.map(each => watches.add(bob, each, 2_000)))
    t.strictSame(await next(bob), { status: 'idle' })
    await commitPresence(bob, 0)
    const found: string[] = []
    let pages = 0
    for (let from: string | null = null; pages === 0 || from !== null; pages++) {
      const step = await next(bob, { from })
      if (step.status !== 'batch') return t.fail(step.status)
      t.match(step.entries, [{ version: 1, tag: 't1', items: [{ do: 'publish', event: { data: { n: 1 } } }] }])
      t.ok(step.recipients.length < 500, 'a page')
      found.push(...step.recipients.map(({ device }) => device))
      from = step.next
      // A watcher that is removed between two pages shifts no other watcher.
      if (pages === 0) await watches.remove(bob, step.recipients[0] ?? watcher())
    }
    t.ok(pages > 2)
    t.strictSame([...new Set(found)].sort(), all.map(({ device }) => device).sort())
  })

  t.test('the holder of the lease gets what was committed meanwhile, and drops what it published', async t => {
    const bob = fixture.id('bob')
    for (const version of [0, 1, 2]) await commitPresence(bob, version)
    t.strictSame(await versions(bob, { entriesMax: 2 }), [1, 2])
    t.strictSame(await versions(bob, { node: 'node-2', ...published(2) }), 'busy')
    await commitPresence(bob, 3)
    t.strictSame(await versions(bob, published(2)), [3, 4])
    t.strictSame(await versions(bob, published(4)), 'idle')
    await commitPresence(bob, 4)
    t.strictSame(await versions(bob, { node: 'node-2' }), [5], 'the lease is free once the log is empty')
  })

  t.test('a batch is bounded by entries × recipients, and has the same entries on every page', async t => {
    const bob = fixture.id('bob')
    const all = Array.from({ length: 600 }, (_, n) => ({ ...watcher(`d${n}`), at: 1_000 }))
    await Promise.all(all.map(each => watches.add(bob, each, 2_000)))
    for (let version = 0; version < 9; version++) await commitPresence(bob, version)
    for (let from: string | null = null, pages = 0; pages === 0 || from !== null; pages++) {
      const step = await next(bob, { from, page: 100, appendsMax: 399 })
      if (step.status !== 'batch') return t.fail(step.status)
      t.strictSame(
        step.entries.map(({ version }) => version),
        [1, 2, 3]
      )
      from = step.next
    }
  })

  t.test('a log that is being published is not stale, and an ended presence expires once all is published', async t => {
    const bob = fixture.id('bob')
    const ref = { kind: 'presence', id: bob } as const
    const isStale = async () => (await claimOf(fixture, bob)).stale.length > 0
    await commitPresence(bob, 0)
    fixture.clock.advance(900)
    await next(bob)
    fixture.clock.advance(900)
    t.equal(await isStale(), false)
    fixture.clock.advance(100)
    t.equal(await isStale(), true)
    await fixture.store.aggregates.commit(ref, commitOf(fixture, 1, { expireInMs: 20 }))
    fixture.clock.advance(100)
    t.not(await fixture.store.aggregates.load(ref), null, 'its log is not published yet')
    await versions(bob, published(1))
    await until('the presence has expired', async () => {
      fixture.clock.advance(5)
      return (await fixture.store.aggregates.load(ref)) === null
    })
    t.equal(await isStale(), false)
  })
}
