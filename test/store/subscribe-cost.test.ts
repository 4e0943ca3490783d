// The cost of many subscriptions at once, such as when the streams of a dead node reconnect to another one.
import { Redis } from 'ioredis'
import t from 'tap'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

const USERS = Array.from({ length: 50 }, (_, n) => `user-${n}`)

t.test('subscriptions of one turn of the event loop are one command, and each receives its own wake-ups', async t => {
  const server = await startRedis()
  const store = await openRedisStore(server.url, new ManualClock(), LIMITS)
  const redis = new Redis(server.url)
  t.teardown(async () => {
    redis.disconnect()
    await store.close()
    await server.stop()
  })
  const leaveFirst = await store.wakeups.subscribe('first', () => {})
  await redis.config('RESETSTAT')
  const received: string[] = []
  const leaves = await Promise.all(
    USERS.map(user => store.wakeups.subscribe(user, wakeup => wakeup.kind === 'gone' && received.push(user)))
  )
  t.match(await redis.info('commandstats'), /cmdstat_ssubscribe:calls=1,/)
  for (const user of USERS) {
    await store.mailboxes.touch(user, 'phone', { now: 1, tag: 'birth' })
    await store.mailboxes.remove(user, 'phone')
  }
  await until('all subscribers have received the wake-up', () => received.length === USERS.length)
  t.strictSame(received, USERS)
  await Promise.all([leaveFirst, ...leaves].map(leave => leave()))
})
