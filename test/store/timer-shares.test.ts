import t from 'tap'
import { PARTITIONS } from '../../src/store/partition.js'
import { readersOf, shareOf } from '../../src/store/redis/shares.js'

const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)
const named = (count: number) => Array.from({ length: count }, (_, n) => `node-${n}`)

for (const [count, readers, least, most] of [
  [1, 1, 256, 256],
  [2, 2, 256, 256],
  [3, 2, 140, 200],
  [4, 2, 100, 160],
  [10, 2, 30, 75],
  [40, 2, 3, 30]
] as const) {
  t.test(
    `of ${count} nodes ${readers} read each partition, and each node reads ${least} to ${most} partitions`,
    async t => {
      const nodes = named(count)
      for (const partition of ALL) {
        const found = readersOf(partition, nodes)
        t.equal(new Set(found).size, readers)
        t.strictSame(readersOf(partition, [...nodes].reverse()), found, 'in any order of the nodes')
      }
      const shares = nodes.map(node => shareOf(node, nodes))
      t.equal(shares.flat().length, readers * PARTITIONS)
      for (const share of shares) t.ok(share.length >= least && share.length <= most, `${share.length}`)
    }
  )
}

t.test(
  'when a node leaves, the second reader of its partitions becomes the owner, and other partitions keep their readers',
  async t => {
    const nodes = named(5)
    const remaining = nodes.filter(node => node !== 'node-2')
    for (const partition of ALL) {
      const before = readersOf(partition, nodes)
      const after = readersOf(partition, remaining)
      if (before.includes('node-2'))
        t.equal(
          after[0],
          before.find(node => node !== 'node-2')
        )
      else t.strictSame(after, before)
    }
  }
)

t.test('the readers of a partition are the same in every release', async t => {
  const nodes = ['a', 'b', 'c', 'd']
  t.strictSame(
    [0, 1, 2, 255].map(partition => readersOf(partition, nodes).join()),
    ['a,b', 'c,d', 'c,b', 'c,d']
  )
})
