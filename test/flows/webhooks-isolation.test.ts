// A receiver that is slow, hangs or is down delays no other receiver; nodes that die or close leave their queues to others.
import assert from 'node:assert/strict'
import t from 'tap'
import { flow, type Scenario } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'
import { admin, CallEvents, openReceiver } from '../helpers/webhooks.js'

const idle = (scenario: Scenario) =>
  until('no queue waits', async () => {
    await scenario.advance(500)
    return (await scenario.store.webhookQueues.backlog()).queues === 0
  })

type Delivery = { readonly outcome: string }

/** Resolves to the deliveries, newest first, when they are complete: each node writes its own once a second. */
async function untilListed(
  scenario: Scenario,
  path: string,
  isComplete: (deliveries: readonly Delivery[]) => boolean
): Promise<readonly Delivery[]> {
  let deliveries: readonly Delivery[] = []
  await until('all deliveries are listed', async () => {
    await scenario.advance(500)
    deliveries = (await admin(scenario, 'GET', path)).body.deliveries
    return isComplete(deliveries)
  })
  return deliveries
}

async function openAnother(): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.open(secretOf(2))
  t.teardown(() => receiver.close())
  return receiver
}

/** Replies wait until `open` is called. */
function createGate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open, wait: () => opened.then(() => ({})) }
}

const slow = await openReceiver()
const quick = await openAnother()
const both = {
  ...slow.env,
  WEBHOOK_URLS: `${slow.receiver.url},${quick.url}#call.message`,
  WEBHOOK_SECRETS: `${secretOf(1)},${secretOf(2)}`
}

flow(
  'a receiver that does not reply delays no other one, and has at most 32 requests in flight from each node',
  async (t, scenario) => {
    const { receiver } = slow
    const gate = createGate()
    receiver.behaviour = gate.wait
    receiver.mostInFlight = 0
    const names = Array.from({ length: 100 }, (_, n) => `c${n}`)
    const slowCalls = names.map(name => new CallEvents(scenario, receiver, name))
    const quickCalls = names.map(name => new CallEvents(scenario, quick, name))
    for (const events of [...slowCalls, ...quickCalls]) await events.queue(2)
    await until('the quick one has all', async () => {
      await scenario.advance(500)
      return quickCalls.every(({ arrived }) => arrived.length === 2)
    })
    const nodes = scenario.lastNode + 1
    t.ok(receiver.mostInFlight >= 32 && receiver.mostInFlight <= 32 * nodes, `${receiver.mostInFlight} in flight`)
    gate.open()
    await until('the slow one has all', async () => {
      await scenario.advance(500)
      return slowCalls.every(({ arrived }) => arrived.length === 2)
    })
    for (const events of [...slowCalls, ...quickCalls]) t.strictSame(events.arrived, [1, 2])
    await idle(scenario)
  },
  { env: both }
)

const hanging = await openReceiver({ WEBHOOK_TIMEOUT_MS: '100' })

flow(
  'a request that gets no reply in time is sent again',
  async (t, scenario) => {
    const { receiver } = hanging
    const gate = createGate()
    const events = new CallEvents(scenario, receiver)
    receiver.behaviour = () => (events.attempts.length === 1 ? gate.wait() : {})
    await events.queue(2)
    t.strictSame(await events.passUntil(2), [1, 2])
    const path = `/${events.destination}/deliveries`
    await untilListed(scenario, path, deliveries => deliveries.length >= 3)
    const { body } = await admin(scenario, 'GET', `${path}?limit=2`)
    t.match(body.deliveries, [
      { attempt: 1, outcome: 'delivered', status: 204, error: null },
      { attempt: 2, outcome: 'delivered' }
    ])
    const { body: older } = await admin(scenario, 'GET', `${path}?limit=1&before=${body.next}`)
    t.match(older.deliveries, [{ attempt: 1, outcome: 'failed', status: null, error: 'no reply within 100 ms' }])
    gate.open()
    await idle(scenario)
  },
  { env: hanging.env }
)

const down = await openReceiver({ WEBHOOK_RETRY_MAX_MS: '5000' })

flow(
  'a receiver that is down is probed and not hammered; when it is up, every event arrives in order',
  async (t, scenario) => {
    const { receiver } = down
    receiver.behaviour = () => ({ status: 503 })
    receiver.attempts.length = 0
    const calls = Array.from({ length: 60 }, (_, n) => new CallEvents(scenario, receiver, `c${n}`))
    for (const events of calls) await events.queue(2)
    await scenario.advance(120_000)
    const nodes = scenario.lastNode + 1
    // At most 32 are in flight when the first of them fail. Then one probe each 0.5 s to 30 s.
    t.ok(receiver.attempts.length <= (32 + 5 + 14) * nodes, `${receiver.attempts.length} attempts in two minutes`)
    const state = await admin(scenario, 'GET', '')
    t.match(state.body, { webhooks: [{ state: 'paused' }], backlog: { queues: 60 } })
    receiver.behaviour = () => ({})
    await until('all have arrived', async () => {
      await scenario.advance(1000)
      return calls.every(({ arrived }) => arrived.length === 2)
    })
    for (const events of calls) t.strictSame(events.arrived, [1, 2])
    await idle(scenario)
    t.match((await admin(scenario, 'GET', '')).body.backlog.queues, 0)
  },
  { env: down.env }
)

const refusing = await openReceiver({ WEBHOOK_RETRY_MAX_MS: '1000' })

flow(
  'a single call that always fails does not pause the destination for others',
  async (t, scenario) => {
    const { receiver } = refusing
    const [bad, good] = [new CallEvents(scenario, receiver, 'bad'), new CallEvents(scenario, receiver, 'good')]
    receiver.behaviour = ({ data }) => (data.callId === bad.ref.source.id ? { status: 500 } : {})
    await bad.queue(1)
    await until('it has failed twenty times on each node', async () => {
      await scenario.advance(500)
      return bad.attempts.length >= 20 * (scenario.lastNode + 1)
    })
    for (let node = 0; node <= scenario.lastNode; node++)
      t.match((await admin(scenario, 'GET', '', node)).body.webhooks, [{ state: 'up' }])
    const queuedAt = scenario.now()
    await good.queue(2)
    await good.passUntil(2)
    t.ok(scenario.now() - queuedAt <= 5000, 'not after a pause of up to 30 s')
    receiver.behaviour = () => ({})
    await bad.passUntil(1)
    await idle(scenario)
  },
  { env: refusing.env }
)

const unallowed = await openReceiver({ WEBHOOK_ALLOW_PRIVATE: 'false', WEBHOOK_GIVE_UP_MS: '5000' })

flow(
  'a private address gets no request unless it is allowed',
  async (t, scenario) => {
    const events = new CallEvents(scenario, unallowed.receiver)
    await events.queue(1)
    await idle(scenario)
    const isLast = ([newest]: readonly Delivery[]) => newest?.outcome === 'given_up'
    const [last] = await untilListed(scenario, `/${events.destination}/deliveries`, isLast)
    t.match(last, { outcome: 'given_up', status: null, error: 'the address is not public' })
    t.equal(unallowed.receiver.counts.requests, 0)
    const letters = await admin(scenario, 'GET', `/${events.destination}/dead-letters`)
    t.match(letters.body.deadLetters, [{ reason: 'given_up' }])
  },
  { env: unallowed.env }
)

const old = await openReceiver()

flow(
  'while a secret rotates, receivers with the old and with the new secret verify every event',
  async (t, scenario) => {
    const events = new CallEvents(scenario, old.receiver)
    old.receiver.behaviour = () => ({})
    await events.queue(2)
    t.strictSame(await events.passUntil(2), [1, 2])
    t.equal(old.receiver.counts.refused, 0)
    await idle(scenario)
  },
  { env: { ...old.env, WEBHOOK_SECRETS: `${secretOf(9)}+${secretOf(1)}` } }
)

flow(
  'a receiver that lacks the secret refuses the event',
  async (t, scenario) => {
    const events = new CallEvents(scenario, old.receiver, 'unknown secret')
    const { refused } = old.receiver.counts
    await events.queue(1)
    await until('it was refused', async () => {
      await scenario.advance(500)
      return old.receiver.counts.refused > refused
    })
    t.strictSame(events.attempts, [])
    await idle(scenario)
    const { body } = await admin(scenario, 'GET', `/${events.destination}/deliveries?limit=1`)
    t.match(body.deliveries, [{ status: 401, outcome: 'given_up' }])
    t.strictSame(events.arrived, [])
  },
  { env: { ...old.env, WEBHOOK_SECRETS: secretOf(9), WEBHOOK_GIVE_UP_MS: '10000' } }
)

const crashed = await openReceiver({ WEBHOOK_TIMEOUT_MS: '1000' })

flow(
  'when a node dies in a delivery, another one delivers the queue once the lease has ended',
  async (t, scenario) => {
    const { receiver } = crashed
    const events = new CallEvents(scenario, receiver)
    await events.queue(3)
    // The node has sent the first event and died before the reply.
    const lease = { node: 'dead', leaseMs: 6000, now: scenario.now(), limit: 1, done: null }
    assert.equal((await scenario.store.webhookQueues.next(events.ref, lease)).status, 'batch')
    await scenario.advance(5000)
    t.strictSame(events.attempts, [], 'one node at a time')
    t.strictSame(await events.passUntil(3), [1, 2, 3])
    await idle(scenario)
  },
  { env: crashed.env }
)

const closing = await openReceiver({ WEBHOOK_TIMEOUT_MS: '600000' })

flow(
  'a node that closes waits for the reply, and leaves the rest of the queue to another node',
  async (t, scenario) => {
    const { receiver } = closing
    const gate = createGate()
    const events = new CallEvents(scenario, receiver)
    receiver.behaviour = () => (events.attempts.length === 1 ? gate.wait() : {})
    await events.queue(3)
    await until('it is in flight', async () => {
      await scenario.advance(250)
      return events.attempts.length === 1
    })
    const survivor = await scenario.cluster.addNode()
    const closed = Promise.all(Array.from({ length: survivor }, (_, node) => scenario.cluster.closeNode(node)))
    gate.open()
    await closed
    const closedAt = scenario.now()
    t.strictSame(await events.passUntil(3), [1, 2, 3])
    t.ok(scenario.now() - closedAt < 60_000, 'long before the lease would have ended')
    t.strictSame(events.attempts, [1, 2, 3], 'the reply was not lost')
    await idle(scenario)
  },
  { env: closing.env, ownCluster: true }
)

flow(
  'a node that closes gives up a request that hangs, and another node sends the event again at once',
  async (t, scenario) => {
    const { receiver } = closing
    const gate = createGate()
    const events = new CallEvents(scenario, receiver, 'hangs')
    receiver.behaviour = () => (events.attempts.length === 1 ? gate.wait() : {})
    await events.queue(2)
    await until('it is in flight', async () => {
      await scenario.advance(250)
      return events.attempts.length === 1
    })
    const survivor = await scenario.cluster.addNode()
    for (let node = 0; node < survivor; node++) await scenario.cluster.closeNode(node)
    gate.open()
    const closedAt = scenario.now()
    t.strictSame(await events.passUntil(2), [1, 2])
    t.ok(scenario.now() - closedAt < 60_000, 'long before the lease would have ended')
    await idle(scenario)
  },
  { env: closing.env, ownCluster: true }
)
