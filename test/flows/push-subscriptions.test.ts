// A device stores how a push wakes it.
import t from 'tap'
import { APNS, createWebPushSubscription, FCM, PUSH_KEY } from '../helpers/push.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const env = { PUSH_KEY, MAX_DEVICES_PER_USER: '3' }
const { subscription: WEB_PUSH } = createWebPushSubscription('https://push.example.com/send/secret-path')

const put = (client: TestClient, body: object, device = client.device) =>
  client.request('PUT', `devices/${device}/push`, body)

const subscribed = async (scenario: Scenario, at = scenario.now()) => {
  const found = await scenario.store.pushSubscriptions.list(scenario.toWire('bob'), at)
  return [...found.keys()].sort()
}

flow(
  'a subscription outlives the mailbox of its device, is encrypted, and ends when the device signs off',
  async (t, scenario) => {
    const phone = await scenario.addClient('bob', 'phone', { silent: true })
    for (const body of [FCM, APNS, WEB_PUSH]) t.equal((await put(phone, body)).status, 204)
    await phone.request('PUT', 'presence', {})
    await scenario.advance(scenario.config.retentionMs + 1)
    t.strictSame(await subscribed(scenario), ['phone'])
    const [sealed = ''] = (await scenario.store.pushSubscriptions.list(scenario.toWire('bob'), scenario.now())).values()
    t.match(sealed, /^[0-9a-f]{8}\.[\w-]+$/)
    t.notMatch(Buffer.from(sealed.split('.')[1] ?? '', 'base64url').toString('latin1'), 'push.example.com')
    await phone.signOff()
    t.strictSame(await subscribed(scenario), [])
  },
  { env }
)

flow(
  'DELETE removes a subscription, and succeeds again',
  async (t, scenario) => {
    const phone = await scenario.addClient('bob', 'phone', { silent: true })
    await put(phone, FCM)
    for (let i = 0; i < 2; i++) t.equal((await phone.request('DELETE', 'devices/phone/push')).status, 204)
    t.strictSame(await subscribed(scenario), [])
  },
  { env }
)

flow(
  'a user has as many subscriptions as devices are allowed: the oldest goes',
  async (t, scenario) => {
    for (const device of ['a', 'b', 'c', 'd']) {
      await put(await scenario.addClient('bob', device, { silent: true }), FCM)
      await scenario.advance(1000)
    }
    t.strictSame(await subscribed(scenario), ['b', 'c', 'd'])
    await put(await scenario.addClient('bob', 'b', { silent: true }), FCM)
    const later = scenario.now() + 90 * 24 * 3_600_000 - 500
    t.strictSame(await subscribed(scenario, later), ['b'], 'those that were not renewed for 90 days are gone')
  },
  { env }
)

flow(
  'a device sets its own subscription only, and mistakes are named',
  async (t, scenario) => {
    const phone = await scenario.addClient('bob', 'phone', { silent: true })
    t.match(await put(phone, FCM, 'tablet'), { status: 403, body: { code: 'invalid_subject' } })
    t.match(await phone.request('DELETE', 'devices/tablet/push'), { status: 403, body: { code: 'invalid_subject' } })
    const issue = (path: string) => ({ status: 400, body: { code: 'invalid_request', issues: [{ path }] } })
    t.match(await put(phone, { type: 'carrier-pigeon' }), issue('body/type'))
    t.match(await put(phone, { ...WEB_PUSH, endpoint: 'http://push.example.com/' }), issue('body/endpoint'))
    t.match(await put(phone, { ...WEB_PUSH, keys: { p256dh: 'x' } }), issue('body/keys/auth'))
    t.match(await put(phone, { type: 'apns' }), issue('body/token'))
    t.strictSame(await subscribed(scenario), [])
  },
  { env }
)

flow('without PUSH_KEY a subscription is refused, and can be removed', async (t, scenario) => {
  const phone = await scenario.addClient('bob', 'phone', { silent: true })
  t.match(await put(phone, FCM), { status: 409, body: { code: 'no_push' } })
  t.equal((await phone.request('DELETE', 'devices/phone/push')).status, 204)
})

t.test('the path names the device of a token without one', async t => {
  const { sharedCluster, SETTINGS } = await import('../helpers/test-cluster.js')
  const { createToken } = await import('../../src/development.js')
  const [setting] = SETTINGS
  if (setting === undefined) throw new Error('no setting')
  const cluster = await sharedCluster(setting, env)
  const send = async (device: string, headers: Record<string, string> = {}) => {
    const token = await createToken(cluster.config, { user: 'carol' })
    const { status } = await fetch(`${cluster.urlOf(0)}/v1/devices/${device}/push`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(FCM)
    })
    return status
  }
  t.equal(await send('one%2Fphone'), 204)
  t.equal(await send('tablet', { 'x-device-id': 'tablet' }), 204)
  t.equal(await send('tablet', { 'x-device-id': 'phone' }), 403)
  const found = await cluster.store.pushSubscriptions.list('carol', cluster.clock.now())
  t.strictSame([...found.keys()].sort(), ['one/phone', 'tablet'])
})
