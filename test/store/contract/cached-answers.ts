import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'

export function cachedAnswerContract(t: Test, lab: Lab): void {
  const { cachedAnswers } = lab.store
  const keepMs = 60_000

  t.test('a copy is kept as it was put, the last one', async t => {
    const [one, other] = [lab.id('room'), lab.id('room')]
    t.equal(await cachedAnswers.get(one), null)
    t.equal(await cachedAnswers.put(one, { tag: 'a', value: '{"x":"|ü"}' }, { keepMs }), true)
    t.strictSame(await cachedAnswers.get(one), { tag: 'a', value: '{"x":"|ü"}' })
    t.equal(await cachedAnswers.put(one, { tag: 'b', value: '' }, { keepMs }), true)
    t.strictSame(await cachedAnswers.get(one), { tag: 'b', value: '' })
    t.equal(await cachedAnswers.get(other), null)
  })

  t.test('one that is put over another is only put over that', async t => {
    const id = lab.id('room')
    t.equal(await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs, ifTag: 'x' }), false)
    t.equal(await cachedAnswers.get(id), null)
    t.equal(await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs, ifTag: null }), true)
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '2' }, { keepMs, ifTag: null }), false)
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '2' }, { keepMs, ifTag: 'a' }), true)
    t.equal(await cachedAnswers.put(id, { tag: 'c', value: '3' }, { keepMs, ifTag: 'a' }), false)
    t.strictSame(await cachedAnswers.get(id), { tag: 'b', value: '2' })
  })

  t.test('one that is kept for no time is gone', async t => {
    const id = lab.id('room')
    await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs })
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '' }, { keepMs: 0, ifTag: 'x' }), false)
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '' }, { keepMs: 0, ifTag: 'a' }), true)
    t.equal(await cachedAnswers.get(id), null)
    t.equal(await cachedAnswers.put(id, { tag: 'c', value: '2' }, { keepMs, ifTag: null }), true)
  })

  t.test('a copy goes when its time is over', async t => {
    const id = lab.id('room')
    await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs: 20 })
    await until('it has gone', async () => {
      lab.clock.advance(5)
      return (await cachedAnswers.get(id)) === null
    })
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '2' }, { keepMs, ifTag: null }), true)
  })
}
