// Sentinel's word of a new primary comes whenever it likes, also while the store asks who the primary is.
import t from 'tap'
import { startProxy } from '../helpers/proxy.js'
import { addressOf, startSentinels } from '../helpers/sentinel.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

t.test('a failover that is announced while the store asks for the primary', async t => {
  const sentinels = await startSentinels(1)
  t.teardown(() => sentinels.stop())
  const proxy = await startProxy(sentinels.port)
  t.teardown(() => proxy.close())
  const store = await openRedisStore(addressOf(proxy))
  t.teardown(() => store.close())
  let gaps = 0
  await store.wakeups.subscribe('bob', wakeup => {
    if (wakeup.kind === 'gap') gaps++
  })
  await until('the announcement will be heard', async () => (await sentinels.listeners()) === 2)
  const letGo = proxy.delay('get-master-addr-by-name')
  await (await sentinels.primary()).kill()
  // Both connections ask, the one that sends and the one that listens.
  await until('the store asks', () => proxy.waiting === 2)
  await until('it is told of a new primary, and so listens no more', async () => (await sentinels.listeners()) === 0)
  letGo()
  await until('there is contact again', () => store.availableSince() !== null)
  await until('and it hears again', () => gaps > 0)
  t.ok((await store.ping()) >= 0)
})
