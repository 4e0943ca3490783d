import t from 'tap'
import { createCache } from '../../src/services/cache.js'

t.test('a cache is bounded by the length of its states; a state above the bound is not cached', async t => {
  const cache = createCache<{ version: number }>(100_000)
  for (let n = 0; n < 50; n++) cache.set(`c${n}`, { state: { version: n }, tag: '' }, 9_000)
  const kept = Array.from({ length: 50 }, (_, n) => n).filter(n => cache.get(`c${n}`))
  t.same(kept, [40, 41, 42, 43, 44, 45, 46, 47, 48, 49], 'the newest')
  cache.set('large', { state: { version: 0 }, tag: '' }, 200_000)
  t.equal(cache.get('large'), undefined)
  t.ok(cache.get('c49'))
})

t.test('the commit of another node is cached unless the cached state is as new', async t => {
  const cache = createCache<{ version: number }>()
  const offer = (version: number, tag: string) => cache.offer('c', { version, tag, state: JSON.stringify({ version }) })
  offer(2, 'b')
  t.same(cache.get('c'), { state: { version: 2 }, tag: 'b' })
  offer(1, 'a')
  offer(2, 'x')
  t.match(cache.get('c'), { tag: 'b' })
  offer(3, 'c')
  t.match(cache.get('c'), { tag: 'c' })
})
