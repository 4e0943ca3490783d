import type { Test } from 'tap'
import { TIMER_CLASSES, type TimerClass } from '../../../src/store/aggregate.js'
import { partitionOf } from '../../../src/store/partition.js'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'
import { CLAIM, call, claimOf, commitOf, mailTo } from './given.js'

export function dueContract(t: Test, lab: Lab): void {
  const { aggregates } = lab.store
  const options = CLAIM
  const claim = (id: string) => claimOf(t, lab, id)
  const nothing = { due: [], stale: [] }

  t.test('a deadline comes up when it has passed, to one claimer, and again when the hold is over', async t => {
    const id = lab.id('c')
    await aggregates.commit(call(id), commitOf(lab, 0, { deadlineAt: lab.clock.now() + 30_000 }))
    lab.clock.advance(29_999)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    const claims = await Promise.all([claim(id), claim(id), claim(id)])
    t.strictSame(
      claims.flatMap(({ due }) => due),
      [call(id)]
    )
    lab.clock.advance(4_999)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [call(id)], stale: [] })
  })

  t.test('the next commit moves the deadline or takes it away', async t => {
    const id = lab.id('c')
    await aggregates.commit(call(id), commitOf(lab, 0, { deadlineAt: lab.clock.now() }))
    await aggregates.commit(call(id), commitOf(lab, 1, { deadlineAt: lab.clock.now() + 1 }))
    t.strictSame(await claim(id), nothing)
    await aggregates.commit(call(id), commitOf(lab, 2, { deadlineAt: null }))
    lab.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('hasten brings a deadline forward, never back, and makes none', async t => {
    const [id, without] = [lab.id('c'), lab.id('c')]
    const now = lab.clock.now()
    await aggregates.commit(call(id), commitOf(lab, 0, { deadlineAt: now + 30_000 }))
    await aggregates.hasten(call(id), now + 5_000)
    await aggregates.hasten(call(id), now + 20_000)
    await aggregates.commit(call(without), commitOf(lab, 0))
    await aggregates.hasten(call(without), now)
    await aggregates.hasten(call(lab.id('missing')), now)
    t.strictSame(await claim(id), nothing)
    lab.clock.advance(5_000)
    t.strictSame(await claim(id), { due: [call(id)], stale: [] })
    t.strictSame(await claim(without), nothing)
  })

  t.test('mail that has waited too long comes up, until it is delivered', async t => {
    const id = lab.id('c')
    const held = { mail: [mailTo(lab.id('bob'))], isHeld: true }
    await aggregates.commit(call(id), commitOf(lab, 0, held))
    lab.clock.advance(999)
    t.strictSame(await claim(id), nothing)
    await aggregates.commit(call(id), commitOf(lab, 1, held))
    lab.clock.advance(1)
    t.strictSame(await claim(id), { due: [], stale: [call(id)] }, 'newer mail does not make the oldest younger')
    t.strictSame(await claim(id), nothing, 'whoever got it has as long again')
    lab.clock.advance(1_000)
    t.strictSame(await claim(id), { due: [], stale: [call(id)] })
    await aggregates.release(call(id))
    await until('it is settled', async () => !(await aggregates.load(call(id)))?.holdsMail)
    lab.clock.advance(60_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('the deadline of what has expired does not come up', async t => {
    const id = lab.id('c')
    const over = commitOf(lab, 0, { deadlineAt: lab.clock.now() + 10_000, expireInMs: 20 })
    await aggregates.commit(call(id), over)
    await until('it has expired', async () => {
      lab.clock.advance(5)
      return (await aggregates.load(call(id))) === null
    })
    lab.clock.advance(10_000)
    t.strictSame(await claim(id), nothing)
  })

  t.test('no more than the limit comes up at once, the oldest first', async t => {
    const ids = [lab.id('c')]
    const [first = ''] = ids
    // Three in one partition.
    while (ids.length < 3) {
      const id = lab.id('c')
      if (aggregates.partitions === 1 || partitionOf(id) === partitionOf(first)) ids.push(id)
    }
    lab.clock.advance(3_600_000)
    await claim(first)
    for (const [age, id] of ids.entries()) {
      await aggregates.commit(call(id), commitOf(lab, 0, { deadlineAt: lab.clock.now() - age }))
    }
    const partition = aggregates.partitions === 1 ? 0 : partitionOf(first)
    const { due, more } = await aggregates.claimDue(partition, { now: lab.clock.now(), ...options, limit: 2 })
    t.strictSame(due, [call(ids[2] ?? ''), call(ids[1] ?? '')])
    t.ok(more)
    t.match(await aggregates.claimDue(partition, { now: lab.clock.now(), ...options, limit: 2 }), {
      due: [call(first)],
      more: false
    })
  })

  t.test('calls come up before rooms and rooms before presence, and a class that is not asked for stays', async t => {
    const id = lab.id('c')
    const refs = (['presence', 'chat', 'pair', 'call'] as const).map(kind => ({ kind, id }))
    for (const [age, ref] of refs.entries()) {
      await aggregates.commit(ref, commitOf(lab, 0, { deadlineAt: lab.clock.now() - 10 + age }))
    }
    const claimOnly = async (classes: readonly TimerClass[], limit: number) => {
      const partition = aggregates.partitions === 1 ? 0 : partitionOf(id)
      const { due } = await aggregates.claimDue(partition, { now: lab.clock.now(), ...options, classes, limit })
      return due.filter(ref => ref.id === id).map(({ kind }) => kind)
    }
    t.strictSame(await claimOnly(['call'], 1), ['pair'], 'the oldest of its class')
    t.strictSame(await claimOnly(['call', 'room'], 100), ['call', 'chat'])
    t.strictSame(await claimOnly(TIMER_CLASSES, 100), ['presence'])
  })
}
