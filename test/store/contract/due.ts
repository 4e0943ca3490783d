import type { Test } from 'tap'
import { partitionOf } from '../../../src/store/partition.js'
import { CLAIM_TURNS, TIMER_CLASSES, type TimerClass } from '../../../src/store/timers.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'
import { CLAIM, call, claimNext, claimOf, commitOf, mailTo } from './fixtures.js'

export function dueContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, timers } = fixture.store
  const claim = (id: string) => claimOf(fixture, id)
  const nothing = { due: [], stale: [] }
  /** Claims all deadlines that other tests have left behind. */
  async function claimAllElse(): Promise<void> {
    fixture.clock.advance(3_600_000)
    await claim('')
  }

  t.test('a deadline that has passed is returned to one caller, and again when the claim has lapsed', async t => {
    const id = fixture.id('c')
    await aggregates.commit(call(id), commitOf(fixture, 0, { deadlineAt: fixture.clock.now() + 30_000 }))
    fixture.clock.advance(29_999)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    const claims = await Promise.all([claim(id), claim(id), claim(id)])
    t.strictSame(
      claims.flatMap(({ due }) => due),
      [call(id)]
    )
    fixture.clock.advance(4_999)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [call(id)], stale: [] })
  })

  t.test('the next commit moves or removes the deadline', async t => {
    const id = fixture.id('c')
    await aggregates.commit(call(id), commitOf(fixture, 0, { deadlineAt: fixture.clock.now() }))
    await aggregates.commit(call(id), commitOf(fixture, 1, { deadlineAt: fixture.clock.now() + 1 }))
    t.strictSame(await claim(id), nothing)
    await aggregates.commit(call(id), commitOf(fixture, 2, { deadlineAt: null }))
    fixture.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('bringForward moves a deadline to an earlier time only, and creates none', async t => {
    const [id, without] = [fixture.id('c'), fixture.id('c')]
    const now = fixture.clock.now()
    await aggregates.commit(call(id), commitOf(fixture, 0, { deadlineAt: now + 30_000 }))
    await aggregates.bringForward(call(id), now + 5_000)
    await aggregates.bringForward(call(id), now + 20_000)
    await aggregates.commit(call(without), commitOf(fixture, 0))
    await aggregates.bringForward(call(without), now)
    await aggregates.bringForward(call(fixture.id('missing')), now)
    t.strictSame(await claim(id), nothing)
    fixture.clock.advance(5_000)
    t.strictSame(await claim(id), { due: [call(id)], stale: [] })
    t.strictSame(await claim(without), nothing)
  })

  t.test('an outbox is stale when its mail has waited too long, until the mail is delivered', async t => {
    const id = fixture.id('c')
    const held = { mail: [mailTo(fixture.id('bob'))], isHeld: true }
    await aggregates.commit(call(id), commitOf(fixture, 0, held))
    fixture.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    await aggregates.commit(call(id), commitOf(fixture, 1, held))
    fixture.clock.advance(1)
    t.strictSame(await claim(id), { due: [], stale: [call(id)] }, 'the oldest mail counts')
    t.strictSame(await claim(id), nothing, 'it is not returned again for another staleMs')
    fixture.clock.advance(1_000)
    t.strictSame(await claim(id), { due: [], stale: [call(id)] })
    await aggregates.releaseMail(call(id))
    await until('the mail is released', async () => !(await aggregates.load(call(id)))?.holdsMail)
    fixture.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('the deadline of an expired aggregate is not returned', async t => {
    const id = fixture.id('c')
    const over = commitOf(fixture, 0, { deadlineAt: fixture.clock.now() + 10_000, expireInMs: 20 })
    await aggregates.commit(call(id), over)
    await until('the aggregate has expired', async () => {
      fixture.clock.advance(5)
      return (await aggregates.load(call(id))) === null
    })
    fixture.clock.advance(10_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('a claim returns at most `limit` deadlines, the oldest first', async t => {
    const ids = [fixture.id('c')]
    const [first = ''] = ids
    // All three in one partition, because on a Cluster the limit applies to each partition.
    while (ids.length < 3) {
      const id = fixture.id('c')
      if (partitionOf(id) === partitionOf(first)) ids.push(id)
    }
    await claimAllElse()
    for (const [age, id] of ids.entries()) {
      await aggregates.commit(call(id), commitOf(fixture, 0, { deadlineAt: fixture.clock.now() - age }))
    }
    const { due, more } = await claimNext(fixture, { limit: 2 })
    t.strictSame(due, [call(ids[2] ?? ''), call(ids[1] ?? '')])
    t.ok(more)
    t.strictSame((await claimNext(fixture, { limit: 2 })).due, [call(first)])
    t.match(await claimNext(fixture, { limit: 2 }), { due: [], more: false })
  })

  t.test('a claim returns at most `limit` stale outboxes, and says that there are more', async t => {
    const ids = [fixture.id('c')]
    while (ids.length < 3) {
      const id = fixture.id('c')
      if (partitionOf(id) === partitionOf(ids[0] ?? '')) ids.push(id)
    }
    const held = { mail: [mailTo(fixture.id('bob'))], isHeld: true }
    for (const id of ids) await aggregates.commit(call(id), commitOf(fixture, 0, held))
    fixture.clock.advance(CLAIM.staleMs)
    const found: string[] = []
    for (let turn = 0, more = false; more || turn < CLAIM_TURNS; turn++) {
      const claimed = await timers.claimDue({ ...CLAIM, now: fixture.clock.now(), limit: 2 })
      const mine = claimed.stale.map(({ id }) => id).filter(id => ids.includes(id))
      t.ok(mine.length <= 2)
      found.push(...mine)
      more = claimed.more
    }
    t.strictSame(found.sort(), ids.sort())
  })

  t.test('a node that claims at nextClaimAt, at ticks of 125 ms, finds a deadline within a second', async t => {
    const claimNow = () => timers.claimDue({ ...CLAIM, now: fixture.clock.now() })
    for (const ms of [1, 300, 1_000, 1_700, 5_003]) {
      const id = fixture.id('c')
      let { nextClaimAt } = await claimNow()
      const deadlineAt = fixture.clock.now() + ms
      await aggregates.commit(call(id), commitOf(fixture, 0, { deadlineAt }))
      for (let found = false; !found; ) {
        fixture.clock.advance(125)
        if (fixture.clock.now() < nextClaimAt) continue
        const claimed = await claimNow()
        nextClaimAt = claimed.nextClaimAt
        found = claimed.due.some(ref => ref.id === id)
      }
      const lateMs = fixture.clock.now() - deadlineAt
      t.ok(lateMs >= 0 && lateMs <= 1_000, `after ${ms} ms: ${lateMs} ms late`)
    }
  })

  t.test(
    'due calls are returned before rooms and rooms before presence; a class that is not requested stays due',
    async t => {
      const id = fixture.id('c')
      const refs = (['presence', 'chat', 'pair', 'call'] as const).map(kind => ({ kind, id }))
      await claimAllElse()
      for (const [age, ref] of refs.entries()) {
        await aggregates.commit(ref, commitOf(fixture, 0, { deadlineAt: fixture.clock.now() - 10 + age }))
      }
      const claimOnly = async (classes: readonly TimerClass[], limit: number) => {
        const { due } = await claimNext(fixture, { classes, limit })
        return due.filter(ref => ref.id === id).map(({ kind }) => kind)
      }
      t.strictSame(await claimOnly(['call'], 1), ['pair'], 'the oldest of its class')
      t.strictSame(await claimOnly(['call', 'room'], 100), ['call', 'chat'])
      t.strictSame(await claimOnly(TIMER_CLASSES, 100), ['presence'])
    }
  )
}
