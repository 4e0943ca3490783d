// Sentinel may announce a new primary at any time, also while the store asks for the primary.
import t from 'tap'
import { startProxy } from '../helpers/proxy.js'
import { addressOf, startSentinels } from '../helpers/sentinel.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

t.test('the store recovers from a failover that is announced while it asks for the primary', async t => {
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
  await until('the store listens to announcements', async () => (await sentinels.subscribers()) === 2)
  const release = proxy.delay('get-master-addr-by-name')
  await (await sentinels.primary()).kill()
  // The connection for commands and the one for subscriptions both ask.
  await until('the store asks', () => proxy.waiting === 2)
  await until(
    'the announcement has arrived, and the store has stopped listening',
    async () => (await sentinels.subscribers()) === 0
  )
  release()
  await until('the store is available', () => store.availableSince() !== null)
  await until('the subscriber has got a gap', () => gaps > 0)
  t.ok((await store.ping()) >= 0)
})
