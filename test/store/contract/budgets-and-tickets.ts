import type { Test } from 'tap'
import { TICKETS_MAX } from '../../../src/store/tickets.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'

export function smallContract(t: Test, fixture: StoreFixture): void {
  const { tickets, counters, deadLetters } = fixture.store

  t.test('a ticket can be used many times, by its own user only', async t => {
    const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
    await tickets.put(alice, { id: 'secret', device: 'phone', value: '{"device":"phone"}', ttlMs: 60_000 })
    t.equal(await tickets.use(alice, 'secret', 60_000), '{"device":"phone"}')
    t.equal(await tickets.use(alice, 'secret', 60_000), '{"device":"phone"}')
    t.equal(await tickets.use(bob, 'secret', 60_000), null)
    t.equal(await tickets.use(alice, 'guess', 60_000), null)
  })

  t.test('a ticket expires, and its use renews it', async t => {
    const alice = fixture.id('alice')
    await tickets.put(alice, { id: 'short', device: 'phone', value: 'v', ttlMs: 20 })
    await tickets.put(alice, { id: 'used', device: 'phone', value: 'v', ttlMs: 20 })
    await tickets.use(alice, 'used', 600_000)
    const hasExpired = async () => {
      fixture.clock.advance(5)
      // Each use renews the ticket, here for 1 ms only.
      return (await tickets.use(alice, 'short', 1)) === null
    }
    await until('the unused ticket has expired', hasExpired)
    t.equal(await tickets.use(alice, 'used', 20), 'v')
  })

  t.test('one ticket too many replaces the ticket that expires first', async t => {
    const alice = fixture.id('alice')
    const put = (id: string, ttlMs: number) => tickets.put(alice, { id, device: 'phone', value: id, ttlMs })
    await put('first to expire', 50_000)
    await Promise.all(Array.from({ length: TICKETS_MAX - 1 }, (_, n) => put(`t${n}`, 60_000 + n)))
    await put('one more', 70_000)
    t.equal(await tickets.use(alice, 'first to expire', 60_000), null)
    t.equal(await tickets.use(alice, 't0', 90_000), 't0')
    t.equal(await tickets.use(alice, 'one more', 90_000), 'one more')
  })

  const minute = { name: 'calls', windowMs: 60_000, max: 10 }

  t.test('a budget grants what is left of its window, and all again in the next window', async t => {
    const alice = fixture.id('alice')
    const now = Math.floor(fixture.clock.now() / 60_000) * 60_000
    t.equal(await counters.take(alice, { ...minute, want: 4, now }), 4)
    t.equal(await counters.take(alice, { ...minute, want: 8, now: now + 59_999 }), 6)
    t.equal(await counters.take(alice, { ...minute, want: 1, now: now + 59_999 }), 0)
    t.equal(await counters.take(alice, { ...minute, want: 99, now: now + 60_000 }), 10)
    t.equal(await counters.take(alice, { ...minute, name: 'signals', want: 1, now }), 1, 'another name')
    t.equal(await counters.take(fixture.id('bob'), { ...minute, want: 1, now }), 1, 'another user')
  })

  t.test('left resolves to the remaining units and takes none', async t => {
    const alice = fixture.id('alice')
    const now = Math.floor(fixture.clock.now() / 60_000) * 60_000 + 120_000
    const left = (at: number, max = 10) => counters.left(alice, { ...minute, max, now: at })
    t.equal(await left(now), 10)
    await counters.take(alice, { ...minute, want: 9, now })
    t.strictSame([await left(now), await left(now + 59_999), await left(now + 60_000)], [1, 1, 10])
    await counters.take(alice, { ...minute, want: 2, now })
    t.strictSame([await left(now), await left(now, 5)], [0, 0])
  })

  t.test('concurrent takes are never granted more than the maximum', async t => {
    const alice = fixture.id('alice')
    const now = fixture.clock.now()
    const grants = await Promise.all(
      Array.from({ length: 50 }, (_, n) => counters.take(alice, { ...minute, max: 60, want: 1 + (n % 4), now }))
    )
    t.equal(
      grants.reduce((sum, granted) => sum + granted, 0),
      60
    )
    t.ok(grants.every((granted, n) => granted >= 0 && granted <= 1 + (n % 4)))
  })

  t.test('a store that answers reports since when it is available, and its round trip', async t => {
    const since = fixture.store.availableSince()
    t.ok(since !== null && since <= fixture.clock.now())
    t.ok((await fixture.store.ping()) >= 0)
  })

  t.test('the newest dead letters are kept, each once, and listed oldest first', async t => {
    const texts = Array.from({ length: 7 }, (_, n) =>
      JSON.stringify({ text: `grüße \u2028 ${fixture.id('letter')}`, n })
    )
    const add = (n: number) => deadLetters.add({ id: `${n}`, text: texts[n] ?? '', now: 1_000 }, 5)
    for (const n of texts.keys()) t.equal(await add(n), true)
    for (const n of [2, 6]) t.equal(await add(n), false, 'added before')
    const list = async (limit: number, before?: number) =>
      (await deadLetters.list({ limit, ...(before === undefined ? {} : { before }) })).map(({ text }) => text)
    t.strictSame(await list(100), texts.slice(2))
    t.strictSame(await list(2), texts.slice(5))
    const [oldest] = await deadLetters.list({ limit: 2 })
    t.strictSame(await list(2, oldest?.at), texts.slice(3, 5), 'the page before')
    t.strictSame(await deadLetters.get('5'), { id: '5', text: texts[5], at: 1_005 })
    t.equal(await deadLetters.get('0'), null)
    t.equal(await deadLetters.remove('5'), true)
    t.equal(await deadLetters.remove('5'), false)
    t.equal(await deadLetters.get('5'), null)
    t.strictSame(await list(3), [texts[3], texts[4], texts[6]])
    t.equal(await add(0), true, 'a letter that is no longer kept can be added again')
  })
}
