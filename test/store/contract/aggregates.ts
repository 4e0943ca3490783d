import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'
import { call, commitOf, deliverTo, stamp } from './given.js'

export function aggregateContract(t: Test, lab: Lab): void {
  const { aggregates } = lab.store
  const named = (version: number) => ({ version, tag: `t${version}` })

  t.test('what was never committed does not exist', async t => {
    t.equal(await aggregates.load(call(lab.id('c'))), null)
  })

  t.test('a commit makes the next version, and load gives it back letter by letter', async t => {
    const ref = call(lab.id('c'))
    const state = JSON.stringify({ text: 'grüße | "quoted" \u2028 🎥', nested: [1, null] })
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 0, { state })), { ok: true, pending: [] })
    t.strictSame(await aggregates.load(ref), { version: 1, tag: 't1', state, pending: [] })
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 1)), { ok: true, pending: [] })
    t.equal((await aggregates.load(ref))?.version, 2)
  })

  t.test('whoever decided on another version changes nothing and learns what stands', async t => {
    const ref = call(lab.id('c'))
    const first = commitOf(lab, 0, { items: [deliverTo('bob')] })
    await aggregates.commit(ref, first)
    const pending = [{ version: 1, tag: 't1', items: first.items }]
    const current = { version: 1, tag: 't1', state: first.state, pending }
    for (const expected of [0, 2, 7]) {
      const late = commitOf(lab, expected, { state: '"late"', items: [deliverTo('eve')], deadlineAt: 1, expireInMs: 1 })
      t.strictSame(await aggregates.commit(ref, late), { ok: false, current })
    }
    t.strictSame(await aggregates.load(ref), current)
  })

  t.test('a commit that a failover forgot is not committed upon, though its version was made anew', async t => {
    const ref = call(lab.id('c'))
    await aggregates.commit(ref, commitOf(lab, 0))
    await aggregates.commit(ref, commitOf(lab, 1, { tag: 'anew', state: '"anew"' }))
    const late = commitOf(lab, 2, { expected: stamp(2, 'forgotten') })
    const current = { version: 2, tag: 'anew', state: '"anew"', pending: [] }
    t.strictSame(await aggregates.commit(ref, late), { ok: false, current })
    t.match(await aggregates.commit(ref, commitOf(lab, 2, { expected: stamp(2, 'anew') })), { ok: true })
  })

  t.test('a commit may leave versions out, or keep its name and move nothing but the deadline', async t => {
    const ref = call(lab.id('c'))
    await aggregates.commit(ref, commitOf(lab, 0))
    t.match(await aggregates.commit(ref, commitOf(lab, 1, { version: 7, tag: 't7' })), { ok: true })
    t.match(await aggregates.commit(ref, commitOf(lab, 7, { ...named(7), state: '"looked at"' })), { ok: true })
    t.strictSame(await aggregates.load(ref), { ...named(7), state: '"looked at"', pending: [] })
    t.match(await aggregates.commit(ref, commitOf(lab, 7, { items: [deliverTo('bob')] })), { ok: true })
    t.match((await aggregates.load(ref))?.pending, [{ version: 8 }])
  })

  t.test('what was not dispatched is not settled in the name of a commit that a failover forgot', async t => {
    const ref = call(lab.id('c'))
    await aggregates.commit(ref, commitOf(lab, 0, { items: [deliverTo('bob', 1)] }))
    await aggregates.commit(ref, commitOf(lab, 1, { items: [deliverTo('bob', 2)] }))
    await aggregates.settle(ref, { version: 2, tag: 'forgotten' })
    t.equal((await aggregates.load(ref))?.pending.length, 2)
  })

  t.test('a version expected of what does not exist is a conflict with nothing', async t => {
    const ref = call(lab.id('c'))
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 3)), { ok: false, current: null })
    t.equal(await aggregates.load(ref), null)
  })

  t.test('of many who decide on the same version exactly one wins', async t => {
    const ref = call(lab.id('c'))
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => aggregates.commit(ref, commitOf(lab, 0, { state: `${n}` })))
    )
    const winners = all.flatMap(({ ok }, n) => (ok ? [n] : []))
    t.equal(winners.length, 1)
    t.equal((await aggregates.load(ref))?.state, `${winners[0]}`)
  })

  t.test('what commits leave to be done stays pending, oldest first, until it is settled', async t => {
    const ref = call(lab.id('c'))
    const items = [deliverTo('bob', 1), { do: 'release', user: 'bob', holder: 'c1/alice' }] as const
    const one = { version: 1, tag: 't1', items }
    const three = { version: 3, tag: 't3', items: [deliverTo('bob', 3)] }
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 0, { items })), { ok: true, pending: [one] })
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 1)), { ok: true, pending: [one] })
    const third = await aggregates.commit(ref, commitOf(lab, 2, { items: three.items }))
    t.strictSame(third, { ok: true, pending: [one, three] })
    await aggregates.settle(ref, named(1))
    t.strictSame((await aggregates.load(ref))?.pending, [three])
    await aggregates.settle(ref, named(3))
    await aggregates.settle(ref, named(3))
    t.strictSame((await aggregates.load(ref))?.pending, [])
    t.strictSame(await aggregates.commit(ref, commitOf(lab, 3)), { ok: true, pending: [] })
  })

  t.test('settling an older version, or what does not exist, drops nothing', async t => {
    const ref = call(lab.id('c'))
    await aggregates.settle(ref, named(9))
    await aggregates.commit(ref, commitOf(lab, 0))
    await aggregates.commit(ref, commitOf(lab, 1, { items: [deliverTo('bob')] }))
    await aggregates.settle(ref, named(1))
    t.equal((await aggregates.load(ref))?.pending.length, 1)
  })

  // The engines' own time: no caller's `now` takes part, so both clocks move until it has happened.
  const isGone = (id: string) => async () => {
    lab.clock.advance(5)
    return (await aggregates.load(call(id))) === null
  }

  t.test('what is over goes after its time, and may begin again at version 1', async t => {
    const id = lab.id('c')
    await aggregates.commit(call(id), commitOf(lab, 0, { expireInMs: 20 }))
    await until('it has expired', isGone(id))
    t.strictSame(await aggregates.commit(call(id), commitOf(lab, 0)), { ok: true, pending: [] })
  })

  t.test('what is over and not dispatched never goes; its time starts when it is settled', async t => {
    const [id, other] = [lab.id('c'), lab.id('c')]
    await aggregates.commit(call(id), commitOf(lab, 0, { expireInMs: 10, items: [deliverTo('bob')] }))
    await aggregates.commit(call(other), commitOf(lab, 0, { expireInMs: 30 }))
    await until('another one with more time has expired', isGone(other))
    t.equal((await aggregates.load(call(id)))?.pending.length, 1)
    await aggregates.settle(call(id), named(1))
    await until('it has expired', isGone(id))
  })

  t.test('a later commit without an expiry keeps it', async t => {
    const [id, other] = [lab.id('c'), lab.id('c')]
    await aggregates.commit(call(id), commitOf(lab, 0, { expireInMs: 200 }))
    await aggregates.commit(call(id), commitOf(lab, 1))
    await aggregates.commit(call(other), commitOf(lab, 0, { expireInMs: 250 }))
    await until('another one has expired', isGone(other))
    t.equal((await aggregates.load(call(id)))?.version, 2)
  })
}
