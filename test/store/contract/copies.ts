import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'

export function copyContract(t: Test, lab: Lab): void {
  const { copies } = lab.store
  const keepMs = 60_000

  t.test('a copy is kept as it was put, the last one', async t => {
    const [one, other] = [lab.id('room'), lab.id('room')]
    t.equal(await copies.get(one), null)
    t.equal(await copies.put(one, { tag: 'a', value: '{"x":"|ü"}' }, { keepMs }), true)
    t.strictSame(await copies.get(one), { tag: 'a', value: '{"x":"|ü"}' })
    t.equal(await copies.put(one, { tag: 'b', value: '' }, { keepMs }), true)
    t.strictSame(await copies.get(one), { tag: 'b', value: '' })
    t.equal(await copies.get(other), null)
  })

  t.test('one that is put over another is only put over that', async t => {
    const id = lab.id('room')
    t.equal(await copies.put(id, { tag: 'a', value: '1' }, { keepMs, over: 'x' }), false)
    t.equal(await copies.get(id), null)
    t.equal(await copies.put(id, { tag: 'a', value: '1' }, { keepMs, over: null }), true)
    t.equal(await copies.put(id, { tag: 'b', value: '2' }, { keepMs, over: null }), false)
    t.equal(await copies.put(id, { tag: 'b', value: '2' }, { keepMs, over: 'a' }), true)
    t.equal(await copies.put(id, { tag: 'c', value: '3' }, { keepMs, over: 'a' }), false)
    t.strictSame(await copies.get(id), { tag: 'b', value: '2' })
  })

  t.test('one that is kept for no time is gone', async t => {
    const id = lab.id('room')
    await copies.put(id, { tag: 'a', value: '1' }, { keepMs })
    t.equal(await copies.put(id, { tag: 'b', value: '' }, { keepMs: 0, over: 'x' }), false)
    t.equal(await copies.put(id, { tag: 'b', value: '' }, { keepMs: 0, over: 'a' }), true)
    t.equal(await copies.get(id), null)
    t.equal(await copies.put(id, { tag: 'c', value: '2' }, { keepMs, over: null }), true)
  })

  t.test('a copy goes when its time is over', async t => {
    const id = lab.id('room')
    await copies.put(id, { tag: 'a', value: '1' }, { keepMs: 20 })
    await until('it has gone', async () => {
      lab.clock.advance(5)
      return (await copies.get(id)) === null
    })
    t.equal(await copies.put(id, { tag: 'b', value: '2' }, { keepMs, over: null }), true)
  })
}
