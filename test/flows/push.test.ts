// A call wakes the devices of the callee that are not online, from the create to the device that answers: the webhook, the push gateway, and push
// services on this machine that decrypt and check what they receive.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { APNS, FCM, PUSH_KEY } from '../helpers/push.js'
import { startGateway, WEBHOOK_SECRET } from '../helpers/push-gateway.js'
import { startPushServices, type TestWebPushService } from '../helpers/push-services.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const services = await startPushServices()
t.teardown(() => services.close())
const { webPush, apns, fcm } = services
const gateway = await startGateway(t, services, { PUSH_PAYLOAD: 'caller' })

/** The webhooks. They are passed on to the gateway, signed anew: flows have a clock of their own, and signatures expire. */
const webhooks: { readonly type: string; readonly data: Record<string, unknown> }[] = []
/** The receiver answers 500. */
let isDown = false
const receiver = createServer(async (request, reply) => {
  let text = ''
  for await (const chunk of request) text += chunk
  webhooks.push(JSON.parse(text))
  if (isDown) return void reply.writeHead(500).end()
  const { Webhook } = await import('standardwebhooks')
  const [id, at] = [String(request.headers['webhook-id']), new Date()]
  const signature = new Webhook(WEBHOOK_SECRET).sign(id, at, text)
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
  const sent = await fetch(gateway, { method: 'POST', body: text, headers })
  const retryAfter = sent.headers.get('retry-after')
  reply.writeHead(sent.status, retryAfter === null ? {} : { 'retry-after': retryAfter }).end(await sent.text())
}).listen(0, '127.0.0.1')
await once(receiver, 'listening')
t.teardown(() => void receiver.close().closeAllConnections())

const env = {
  PUSH_KEY,
  WEBHOOK_URLS: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/#push`,
  WEBHOOK_SECRETS: WEBHOOK_SECRET,
  WEBHOOK_ALLOW_PRIVATE: 'true'
}

const subscribe = async (client: TestClient, body: object) => {
  const { status } = await client.request('PUT', `devices/${client.device}/push`, body)
  if (status !== 204) throw new Error(`${status}`)
}

/** bob's phone, which has a subscription and no stream. */
async function addSleepingPhone(scenario: Scenario, body: object = webPush.subscribe()): Promise<TestClient> {
  const phone = await scenario.addClient('bob', 'phone', { silent: true, node: scenario.lastNode })
  await subscribe(phone, body)
  return phone
}

/** The messages about a call of this scenario. */
const messages = (scenario: Scenario, callId: string, service: Pick<TestWebPushService, 'received'> = webPush) =>
  scenario.fromWire(service.received.map(({ data }) => data)).filter(data => data.callId === callId)
const webhooksOf = (scenario: Scenario, callId: string) =>
  scenario.fromWire(webhooks.map(({ data }) => data)).filter(data => data.callId === callId)

const untilSent = async (scenario: Scenario, callId: string, count: number) => {
  await until(`${count} messages about ${callId}`, () => messages(scenario, callId).length >= count)
  await scenario.cluster.settle()
}

flow(
  'a phone that is woken is rung with the remaining time, and answers',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'laptop')
    const phone = await addSleepingPhone(scenario)
    t.match(await alice.post('calls', { callId: 'c1', to: 'bob', media: 'video' }), {
      call: { state: 'ringing' },
      delivery: { online: 0, queued: 0 }
    })
    await untilSent(scenario, 'c1', 1)
    const [message] = messages(scenario, 'c1')
    t.strictSame(message, { kind: 'incoming', callId: 'c1', expiresInMs: 30_000, caller: 'alice' })
    await scenario.advance(4000)
    await phone.openStream()
    const { expiresInMs } = await phone.expectEvent('call.incoming')
    t.equal(expiresInMs, 26_000)
    await phone.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/hangup')
    await phone.expectEvent('call.ended')
    await scenario.cluster.settle()
    t.equal(messages(scenario, 'c1').length, 1, 'the device that answered is not told that the ringing has ended')
    const data = { kind: 'incoming', user: 'bob', from: alice.endpoint, media: 'video', metadata: {} }
    t.match(webhooksOf(scenario, 'c1'), [data])
  },
  { env }
)

flow(
  'each sleeping device gets one push, also while another is online; when that one answers, they get `cancelled`',
  async (t, scenario) => {
    const [alice, laptop] = await scenario.addAliceAndBob()
    await subscribe(laptop, webPush.subscribe())
    const counts = [apns, fcm].map(({ received }) => received.length)
    for (const [device, body] of [
      ['phone', webPush.subscribe()],
      ['tablet', APNS],
      ['watch', FCM]
    ] as const)
      await subscribe(await scenario.addClient('bob', device, { silent: true }), body)
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await laptop.expectEvent('call.incoming')
    await untilSent(scenario, 'c1', 1)
    await laptop.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await untilSent(scenario, 'c1', 2)
    t.match(messages(scenario, 'c1'), [{ kind: 'incoming' }, { kind: 'cancelled' }])
    t.strictSame(
      [apns, fcm].map(({ received }, i) => received.length - (counts[i] ?? 0)),
      [2, 2]
    )
    t.match(webhooksOf(scenario, 'c1'), [
      { kind: 'incoming', devices: [{ device: /./ }, { device: /./ }, { device: /./ }] },
      { kind: 'cancelled' }
    ])
  },
  { env }
)

for (const [how, end] of Object.entries({
  'the caller cancels': (alice: TestClient) => alice.post('calls/c1/cancel'),
  'no answer': (_: TestClient, scenario: Scenario) => scenario.advance(30_000)
})) {
  flow(
    `the phone gets \`cancelled\` when ${how}, unless it has come up`,
    async (t, scenario) => {
      const alice = await scenario.addClient('alice', 'laptop')
      await addSleepingPhone(scenario)
      const tablet = await scenario.addClient('bob', 'tablet', { silent: true })
      const forTablet = webPush.subscribe()
      await subscribe(tablet, forTablet)
      await alice.post('calls', { callId: 'c1', to: 'bob' })
      await untilSent(scenario, 'c1', 2)
      await tablet.openStream()
      await tablet.expectEvent('call.incoming')
      await end(alice, scenario)
      await tablet.expectEvent('call.ended')
      await untilSent(scenario, 'c1', 3)
      t.strictSame(
        messages(scenario, 'c1').map(({ kind }) => kind),
        ['incoming', 'incoming', 'cancelled']
      )
      t.match(webhooksOf(scenario, 'c1').at(-1), { devices: [{ device: 'phone' }] })
      if (how === 'no answer') await alice.expectEvent('call.ended')
    },
    { env }
  )
}

flow(
  'a push that was delayed until the call has ended wakes no phone',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'laptop')
    await addSleepingPhone(scenario)
    isDown = true
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await until('the first attempt has failed', () => webhooksOf(scenario, 'c1').length > 0)
    await scenario.cluster.settle()
    await alice.post('calls/c1/cancel')
    isDown = false
    await scenario.advance(5000)
    await untilSent(scenario, 'c1', 1)
    t.strictSame(
      messages(scenario, 'c1').map(({ kind }) => kind),
      ['cancelled']
    )
  },
  { env }
)

flow(
  'a subscription that the push service does not know is removed, and the timeline says so to the callee only',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'laptop')
    const gone = webPush.subscribe()
    const phone = await addSleepingPhone(scenario, gone)
    webPush.unsubscribe(gone)
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    const kept = () => scenario.store.pushSubscriptions.list(scenario.toWire('bob'), scenario.now())
    await until('the subscription is removed', async () => (await kept()).size === 0)
    await scenario.cluster.settle()
    await scenario.advance(1000)
    const pushLines = async (client: TestClient) => {
      const { body } = await client.request('GET', 'calls/c1/timeline')
      return (body.entries as { type: string; outcome?: string }[]).flatMap(({ type, outcome }) =>
        type === 'push' ? [outcome] : []
      )
    }
    t.strictSame(new Set(await pushLines(phone)), new Set(['delivered', 'gone']))
    t.strictSame(await pushLines(alice), [])
    await alice.post('calls/c1/cancel')
    t.match(await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c2', to: 'carol' }), {})
  },
  { env }
)

flow(
  'without a subscription a call with whenOffline ring tells the receiver the user, and one with reject is refused',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'laptop')
    await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c1', to: 'bob' })
    await alice.post('calls', { callId: 'c2', to: 'bob', whenOffline: 'ring' })
    await until('the webhook has arrived', () => webhooksOf(scenario, 'c2').length === 1)
    t.match(webhooksOf(scenario, 'c2'), [{ kind: 'incoming', user: 'bob', devices: [] }])
    const bob = await scenario.addClient('bob', 'phone')
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c2/reject')
    await alice.expectEvent('call.ended')
  },
  { env }
)

flow(
  'a blocked caller wakes no phone',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'laptop')
    const phone = await addSleepingPhone(scenario)
    t.equal((await phone.request('PUT', `blocks/${scenario.toPath('alice')}`)).status, 204)
    await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c1', to: 'bob' })
    await alice.post('calls', { callId: 'c2', to: 'bob', whenOffline: 'ring' })
    await alice.post('calls/c2/cancel')
    await scenario.cluster.settle()
    t.strictSame(webhooksOf(scenario, 'c2'), [])
  },
  { env }
)

flow(
  'a storm of callers wakes a user as often as RATE_LIMIT_PUSHES allows',
  async (t, scenario) => {
    await addSleepingPhone(scenario)
    for (let n = 1; n <= 5; n++) {
      const caller = await scenario.addClient(`caller${n}`, 'laptop', { silent: true })
      await caller.post('calls', { callId: `c${n}`, to: 'bob', whenOffline: 'ring' })
      await caller.post(`calls/c${n}/cancel`)
    }
    await scenario.cluster.settle()
    const woken = [1, 2, 3, 4, 5].filter(n => webhooksOf(scenario, `c${n}`).length > 0)
    t.ok(woken.length <= 2, `${woken}`)
  },
  { env: { ...env, RATE_LIMIT_PUSHES: '2' } }
)

t.test('the push services found no fault in all these requests', async t => {
  t.strictSame([...webPush.faults, ...apns.faults, ...fcm.faults], [])
})
