// The rotation of PUSH_KEY.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import type { Context } from '../../src/services/context.js'
import { openSubscriptions, setPushSubscription } from '../../src/services/push/subscriptions.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { LIMITS } from '../helpers/limits.js'
import { FCM } from '../helpers/push.js'

const [old, next] = [randomBytes(32), randomBytes(32)].map(key => key.toString('base64'))
const bob = { user: 'bob', device: 'phone', expiresAt: null }

t.test('what the old key encrypted opens while it is in the list, and a renewal uses the new key', async t => {
  const store = createMemoryStore({ ...LIMITS, clock: systemClock })
  t.teardown(() => store.close())
  const warnings: object[] = []
  const log = { warn: (fields: object) => warnings.push(fields) }
  const nodeWith = (PUSH_KEY: string) =>
    ({ config: loadConfig({ PUSH_KEY }), clock: systemClock, store, log }) as unknown as Context
  const opened = async (keys: string) => {
    const found = await openSubscriptions(nodeWith(keys), 'bob', ['phone', 'tablet'])
    return found.map(({ device, subscription }) => ({ device, subscription }))
  }
  const phone = [{ device: 'phone', subscription: FCM }]
  await setPushSubscription(nodeWith(`${old}`), bob, FCM)
  t.strictSame(await opened(`${next},${old}`), phone)
  t.strictSame(warnings, [])
  t.strictSame(await opened(`${next}`), [], 'without the old key the device is not woken, and nothing fails')
  t.strictSame(warnings, [{ user: 'bob', device: 'phone' }], 'the log says which device a missing key keeps asleep')
  t.strictSame(await opened(''), [])
  await setPushSubscription(nodeWith(`${next},${old}`), bob, FCM)
  t.strictSame(await opened(`${next}`), phone)
})
