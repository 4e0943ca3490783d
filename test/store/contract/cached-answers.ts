import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'

export function cachedAnswerContract(t: Test, fixture: StoreFixture): void {
  const { cachedAnswers } = fixture.store
  const keepMs = 60_000

  t.test('get resolves to the answer that was put last', async t => {
    const [one, other] = [fixture.id('room'), fixture.id('room')]
    t.equal(await cachedAnswers.get(one), null)
    t.equal(await cachedAnswers.put(one, { tag: 'a', value: '{"x":"|ü"}' }, { keepMs }), true)
    t.strictSame(await cachedAnswers.get(one), { tag: 'a', value: '{"x":"|ü"}' })
    t.equal(await cachedAnswers.put(one, { tag: 'b', value: '' }, { keepMs }), true)
    t.strictSame(await cachedAnswers.get(one), { tag: 'b', value: '' })
    t.equal(await cachedAnswers.get(other), null)
  })

  t.test('with ifTag an answer replaces only the answer with that tag', async t => {
    const id = fixture.id('room')
    t.equal(await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs, ifTag: 'x' }), false)
    t.equal(await cachedAnswers.get(id), null)
    t.equal(await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs, ifTag: null }), true)
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '2' }, { keepMs, ifTag: null }), false)
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '2' }, { keepMs, ifTag: 'a' }), true)
    t.equal(await cachedAnswers.put(id, { tag: 'c', value: '3' }, { keepMs, ifTag: 'a' }), false)
    t.strictSame(await cachedAnswers.get(id), { tag: 'b', value: '2' })
  })

  t.test('with keepMs 0 the answer is deleted', async t => {
    const id = fixture.id('room')
    await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs })
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '' }, { keepMs: 0, ifTag: 'x' }), false)
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '' }, { keepMs: 0, ifTag: 'a' }), true)
    t.equal(await cachedAnswers.get(id), null)
    t.equal(await cachedAnswers.put(id, { tag: 'c', value: '2' }, { keepMs, ifTag: null }), true)
  })

  t.test('an answer expires after its time', async t => {
    const id = fixture.id('room')
    await cachedAnswers.put(id, { tag: 'a', value: '1' }, { keepMs: 20 })
    await until('the answer has expired', async () => {
      fixture.clock.advance(5)
      return (await cachedAnswers.get(id)) === null
    })
    t.equal(await cachedAnswers.put(id, { tag: 'b', value: '2' }, { keepMs, ifTag: null }), true)
  })
}
