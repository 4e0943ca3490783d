import t from 'tap'
import { createCache } from '../../src/services/cache.js'

t.test('a cache is bounded by the length of what it keeps; what is larger than all of it is not kept', async t => {
  const cache = createCache<{ n: number }>(100_000)
  for (let n = 0; n < 50; n++) cache.set(`c${n}`, { state: { n }, tag: '' }, 9_000)
  const kept = Array.from({ length: 50 }, (_, n) => n).filter(n => cache.get(`c${n}`))
  t.same(kept, [40, 41, 42, 43, 44, 45, 46, 47, 48, 49], 'the newest')
  cache.set('large', { state: { n: 0 }, tag: '' }, 200_000)
  t.equal(cache.get('large'), undefined)
  t.ok(cache.get('c49'))
})
