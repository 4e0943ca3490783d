import fc from 'fast-check'
import t from 'tap'
import { Heap } from '../../src/store/memory/heap.js'

/** Deletes all keys, the earliest first. */
function drain(heap: Heap<number>): number[] {
  const instants: number[] = []
  for (let first = heap.first(); first; first = heap.first()) {
    instants.push(first.at)
    heap.delete(first.key)
  }
  return instants
}

t.test('after any changes the earliest key is first, and each key has its instant', async () => {
  const change = fc.record({ key: fc.nat(12), at: fc.option(fc.nat(20), { freq: 3 }) })
  const property = fc.property(fc.array(change, { maxLength: 60 }), changes => {
    const heap = new Heap<number>()
    const model = new Map<number, number>()
    for (const { key, at } of changes) {
      if (at === null) {
        heap.delete(key)
        model.delete(key)
      } else {
        heap.set(key, at)
        model.set(key, at)
      }
      if (heap.size !== model.size || heap.get(key) !== model.get(key) || heap.has(key) !== model.has(key)) return false
      if (heap.first()?.at !== [...model.values()].sort((a, b) => a - b)[0]) return false
    }
    return JSON.stringify(drain(heap)) === JSON.stringify([...model.values()].sort((a, b) => a - b))
  })
  fc.assert(property, { numRuns: 500 })
})

t.test('200,000 keys are drained in order', async t => {
  const heap = new Heap<number>()
  const count = 200_000
  for (let n = 0; n < count; n++) heap.set(n, (n * 7_919) % count)
  for (let n = 0; n < count; n += 2) heap.delete(n)
  t.equal(heap.size, count / 2)
  const instants = drain(heap)
  t.equal(instants.length, count / 2)
  t.ok(instants.every((at, i) => i === 0 || at >= (instants[i - 1] ?? 0)))
})
