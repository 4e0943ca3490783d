import t from 'tap'
import { createOpenings } from '../../src/delivery/openings.js'

/** Openings that end when they are told to. */
function lab() {
  const openings = createOpenings()
  const begun: number[] = []
  const ends = new Map<number, () => void>()
  const open = (n: number) =>
    openings.run(() => {
      begun.push(n)
      return new Promise<void>(resolve => ends.set(n, resolve))
    })
  const end = async (from: number, to: number) => {
    for (let n = from; n <= to; n++) ends.get(n)?.()
    await new Promise(setImmediate)
  }
  return { openings, begun, open, end }
}

t.test('of openings that come at once, 64 are under way and the others wait in their order', async t => {
  const { begun, open, end } = lab()
  const all = Array.from({ length: 150 }, (_, n) => open(n))
  t.equal(begun.length, 64)
  await end(0, 31)
  t.equal(begun.length, 64, 'half of them are still under way')
  await end(32, 32)
  t.equal(begun.length, 64 + 33, 'several begin together')
  while (begun.length < 150) await end(33, begun.length)
  await end(33, 149)
  await Promise.all(all)
  t.strictSame(
    begun,
    Array.from({ length: 150 }, (_, n) => n)
  )
})

t.test('openings that hang do not hold up the others', async t => {
  const { begun, open, end } = lab()
  for (let n = 0; n < 200; n++) void open(n)
  for (let last = 63; last < 199; last = begun.length - 1) await end(31, last)
  t.equal(begun.length, 200, '31 hang')
})

t.test('an opening that fails makes room too, and its failure is its own', async t => {
  const { openings } = lab()
  const fail = () => openings.run(() => Promise.reject(new Error('away')))
  const results = await Promise.allSettled([...Array.from({ length: 200 }, fail), openings.run(async () => 'opened')])
  t.match(results.at(-1), { status: 'fulfilled', value: 'opened' })
  t.equal(results.filter(({ status }) => status === 'rejected').length, 200)
})
