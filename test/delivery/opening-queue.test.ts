import t from 'tap'
import { createOpeningQueue } from '../../src/delivery/opening-queue.js'

/** Openings that end on command. */
function setUp() {
  const openings = createOpeningQueue()
  const started: number[] = []
  const ends = new Map<number, () => void>()
  const open = (n: number) =>
    openings.run(() => {
      started.push(n)
      return new Promise<void>(resolve => ends.set(n, resolve))
    })
  const end = async (from: number, to: number) => {
    for (let n = from; n <= to; n++) ends.get(n)?.()
    await new Promise(setImmediate)
  }
  return { openings, started, open, end }
}

t.test('64 openings run at a time and the others wait in order', async t => {
  const { started, open, end } = setUp()
  const all = Array.from({ length: 150 }, (_, n) => open(n))
  t.equal(started.length, 64)
  await end(0, 31)
  t.equal(started.length, 64, 'half of them still run')
  await end(32, 32)
  t.equal(started.length, 64 + 33, 'the next ones start as a batch')
  while (started.length < 150) await end(33, started.length)
  await end(33, 149)
  await Promise.all(all)
  t.strictSame(
    started,
    Array.from({ length: 150 }, (_, n) => n)
  )
})

t.test('openings that hang do not delay the others', async t => {
  const { started, open, end } = setUp()
  for (let n = 0; n < 200; n++) void open(n)
  for (let last = 63; last < 199; last = started.length - 1) await end(31, last)
  t.equal(started.length, 200, '31 hang')
})

t.test('an opening that fails frees its slot and fails alone', async t => {
  const { openings } = setUp()
  const fail = () => openings.run(() => Promise.reject(new Error('away')))
  const results = await Promise.allSettled([...Array.from({ length: 200 }, fail), openings.run(async () => 'opened')])
  t.match(results.at(-1), { status: 'fulfilled', value: 'opened' })
  t.equal(results.filter(({ status }) => status === 'rejected').length, 200)
})
