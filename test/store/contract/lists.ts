import type { Test } from 'tap'
import type { AggregateRef } from '../../../src/store/aggregate.js'
import type { StoreFixture } from '../contract.js'
import { call, commitOf } from './fixtures.js'

/** More than fit in a listpack, so that Redis has hash tables, and more than one ZSCAN returns. */
const CALLS = 700

export function listContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, timers } = fixture.store
  const create = (ref: AggregateRef, inMs = 30_000) =>
    aggregates.commit(ref, commitOf(fixture, 0, { deadlineAt: fixture.clock.now() + inMs }))
  const end = (ref: AggregateRef) => aggregates.commit(ref, commitOf(fixture, 1, { deadlineAt: null }))

  /** All pages from `after` on. `between` runs after each page. */
  async function listAll(limit: number, between = async (_ids: readonly string[]) => {}): Promise<string[]> {
    const found: string[] = []
    for (let after: string | null = null; ; ) {
      const page = await timers.list({ kind: 'call', limit, after })
      if (page === null) throw new Error('the page was refused')
      if (page.refs.length > limit) throw new Error(`a page of ${page.refs.length}`)
      found.push(...page.refs.map(({ id }) => id))
      if (page.next === null) return found
      after = page.next
      await between(found)
    }
  }

  const idsOf = (count: number) => Array.from({ length: count }, () => fixture.id('c'))
  const sorted = (ids: Iterable<string>) => [...new Set(ids)].sort()

  t.test('what has a deadline is listed, of the one kind, until it has none', async t => {
    const [id, over] = [fixture.id('c'), fixture.id('c')]
    await create(call(id))
    await create(call(over))
    await create({ kind: 'pair', id: fixture.id('p') })
    await aggregates.commit(call(fixture.id('c')), commitOf(fixture, 0))
    const before = await listAll(50)
    t.ok(before.includes(id) && before.includes(over))
    await end(call(over))
    t.strictSame(sorted(await listAll(50)), sorted(before.filter(each => each !== over)))
    fixture.clock.advance(60_000)
    t.ok((await listAll(1)).includes(id), 'also when it is due')
    await end(call(id))
  })

  t.test('a position that was made up is refused or gives a page', async t => {
    const positions = [
      ...['', 'a', '[', '{}', 'null', '[]', '[-1,"0"]', '[0.5,"0"]', '[0,0]', '[0,"-1"]', '[0,"99999999999999999999"]'],
      ...['[99999,"0"]', `[0,"${2n ** 64n - 1n}"]`, `[0,"${2n ** 64n}"]`, '[0,"0","x","y"]', '[0,"0",1,2]']
    ]
    for (const position of positions) {
      const after = Buffer.from(position).toString('base64url')
      const page = await timers.list({ kind: 'call', limit: 1, after })
      t.ok(page === null || page.refs.length <= 1, position)
    }
  })

  t.test('pages of every size list each once', async t => {
    const others = await listAll(200)
    const ids = idsOf(60)
    await Promise.all(ids.map(id => create(call(id))))
    for (const limit of [1, 7, 59, 200]) {
      const found = await listAll(limit)
      t.strictSame(found.toSorted(), sorted([...others, ...ids]), `pages of ${limit}`)
    }
    await Promise.all(ids.map(id => end(call(id))))
  })

  t.test('what lives all the time is listed, although deadlines move and others begin and end meanwhile', async t => {
    const ids = idsOf(CALLS)
    const [living, ending] = [ids.slice(0, 100), ids.slice(100)]
    await Promise.all(ids.map(id => create(call(id))))
    const began: string[] = []
    const found = await listAll(33, async () => {
      await Promise.all(living.map((id, n) => aggregates.bringForward(call(id), fixture.clock.now() + n)))
      await Promise.all(ending.splice(0, 100).map(id => end(call(id))))
      if (ending.length > 0) return
      const id = fixture.id('c')
      began.push(id)
      await create(call(id))
    })
    t.strictSame(
      living.filter(id => !found.includes(id)),
      []
    )
    await Promise.all([...living, ...began].map(id => end(call(id))))
  })
}
