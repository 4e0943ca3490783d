// What becomes of a transfer reaches each party, is counted, wakes and silences the sleeping devices of the target, and reaches the systems of
// the operator. alice and bob are in a call, and alice transfers it to carol, whose phone is online and whose watch sleeps.
import t from 'tap'
import { connectAliceAndBob } from '../helpers/connected-call.js'
import { FCM, PUSH_KEY } from '../helpers/push.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'

const receiver = await WebhookReceiver.open(secretOf(1))
t.teardown(() => receiver.close())
const env = {
  ...{ PUSH_KEY, WEBHOOK_URLS: `${receiver.url}#push,call.transferring,call.transfer_failed,call.transferred` },
  ...{ WEBHOOK_SECRETS: secretOf(1), WEBHOOK_ALLOW_PRIVATE: 'true' }
}

interface Users {
  readonly scenario: Scenario
  readonly alice: TestClient
  readonly bob: TestClient
  readonly carol: TestClient
}

async function transferToCarol(scenario: Scenario): Promise<Users> {
  receiver.now = () => scenario.now()
  const [alice, bob] = await connectAliceAndBob(scenario)
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  await sleep(scenario, 'watch')
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  return { scenario, alice, bob, carol }
}

/** A device of carol's that has a subscription and no stream. */
async function sleep(scenario: Scenario, device: string): Promise<TestClient> {
  const client = await scenario.addClient('carol', device, { silent: true })
  const { status } = await client.request('PUT', `devices/${device}/push`, FCM)
  if (status !== 204) throw new Error(`${status}`)
  return client
}

const eventsOf = (scenario: Scenario) =>
  scenario.fromWire(receiver.events.map(({ event }) => event)).filter(({ data }) => data.callId === 'c1')

const pushesOf = (scenario: Scenario) =>
  eventsOf(scenario).flatMap(({ type, data: { kind, user, from, devices } }) =>
    type === 'push' ? [[kind, user, (from as { user: string }).user, (devices as object[]).length]] : []
  )

const outcomesOf = (scenario: Scenario) =>
  eventsOf(scenario)
    .filter(({ type }) => type === 'call.transfer_failed' || type === 'call.transferred')
    .map(({ type, data }) => [type, data.reason ?? null])

/** Moves the time until the receiver has as many pushes: they are sent in the background. */
const untilPushed = (scenario: Scenario, count: number) =>
  until(`${count} pushes`, async () => {
    await scenario.advance(125)
    return pushesOf(scenario).length >= count
  })

/** The sum of all nodes, by outcome. */
async function transfers(scenario: Scenario): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (let node = 0; node <= scenario.lastNode; node++) {
    const text = await (await fetch(`${scenario.urlOf(node)}/metrics`)).text()
    for (const [, outcome = '', count] of text.matchAll(/^signalpost_call_transfers_total\{outcome="(.+)"\} (\d+)$/gm))
      counts.set(outcome, (counts.get(outcome) ?? 0) + Number(count))
  }
  return counts
}

interface Outcome {
  readonly name: string
  readonly act: (users: Users) => Promise<unknown>
  /** What the parties and the target receive. */
  readonly receive: (users: Users) => Promise<unknown>
  readonly counted: string
  /** For the systems of the operator; null: the call ends. */
  readonly event: readonly [type: string, reason: string | null] | null
  /** Who is still in the call. */
  readonly left: (users: Users) => readonly TestClient[]
}

const failed = ({ alice, bob }: Users) =>
  Promise.all([alice, bob].map(client => client.expectEvent('call.transfer_failed')))
const both = ({ alice, bob }: Users) => [alice, bob]

const OUTCOMES: readonly Outcome[] = [
  {
    name: 'the target accepts',
    act: ({ carol }) => carol.post('calls/c1/accept'),
    receive: ({ alice, bob }) => Promise.all([alice.expectEvent('call.ended'), bob.expectEvent('call.transferred')]),
    counted: 'transferred',
    event: ['call.transferred', null],
    left: ({ bob, carol }) => [bob, carol]
  },
  {
    name: 'the target declines',
    act: ({ carol }) => carol.post('calls/c1/reject', { scope: 'user' }),
    receive: failed,
    counted: 'declined',
    event: ['call.transfer_failed', 'declined'],
    left: both
  },
  {
    name: 'the target does not answer',
    act: ({ scenario }) => scenario.advance(31_500),
    receive: users => Promise.all([failed(users), users.carol.expectEvent('call.ended')]),
    counted: 'no_answer',
    event: ['call.transfer_failed', 'no_answer'],
    left: both
  },
  {
    name: 'the target accepts another call',
    async act({ scenario, carol }) {
      const dave = await scenario.addClient('dave', 'desk')
      await dave.post('calls', { callId: 'c2', to: 'carol' })
      await carol.expectEvent('call.incoming')
      await carol.post('calls/c2/accept')
      await dave.expectEvent('call.accepted')
      await carol.expectEvent('call.ended')
      await carol.post('calls/c2/hangup')
      await dave.expectEvent('call.ended')
    },
    receive: failed,
    counted: 'busy',
    event: ['call.transfer_failed', 'busy'],
    left: both
  },
  {
    name: 'the transferor takes it back',
    act: ({ alice }) => alice.request('DELETE', 'calls/c1/transfer'),
    receive: ({ bob, carol }) =>
      Promise.all([bob.expectEvent('call.transfer_failed'), carol.expectEvent('call.ended')]),
    counted: 'cancelled',
    event: ['call.transfer_failed', 'cancelled'],
    left: both
  },
  {
    name: 'the other party hangs up',
    act: ({ bob }) => bob.post('calls/c1/hangup'),
    receive: ({ alice, carol }) => Promise.all([alice, carol].map(client => client.expectEvent('call.ended'))),
    counted: 'cancelled',
    event: null,
    left: () => []
  },
  {
    name: 'the transferor leaves, and the target declines',
    async act({ alice, bob, carol }) {
      await alice.post('calls/c1/hangup')
      await bob.expectEvent('call.transferring')
      await carol.post('calls/c1/reject', { scope: 'user' })
    },
    receive: ({ bob }) => bob.expectEvent('call.ended'),
    counted: 'declined',
    event: null,
    left: () => []
  },
  {
    name: 'the transferor leaves, and the other party hangs up',
    async act({ alice, bob }) {
      await alice.post('calls/c1/hangup')
      await bob.expectEvent('call.transferring')
      await bob.post('calls/c1/hangup')
    },
    receive: ({ carol }) => carol.expectEvent('call.ended'),
    counted: 'cancelled',
    event: null,
    left: () => []
  }
]

for (const { name, act, receive, counted, event, left } of OUTCOMES)
  flow(
    name,
    async (t, scenario) => {
      const before = await transfers(scenario)
      const users = await transferToCarol(scenario)
      await untilPushed(scenario, 1)
      await act(users)
      await receive(users)
      await untilPushed(scenario, 2)
      t.strictSame(pushesOf(scenario), [
        ['incoming', 'carol', 'bob', 1],
        ['cancelled', 'carol', 'bob', 1]
      ])
      before.set(counted, (before.get(counted) ?? 0) + 1)
      t.strictSame(await transfers(scenario), before)
      const [first, second] = left(users)
      await first?.post('calls/c1/hangup')
      await second?.expectEvent('call.ended')
      if (event) await until('the outcome has arrived', () => outcomesOf(scenario).length > 0)
      t.strictSame(outcomesOf(scenario), event ? [event] : [])
    },
    { env }
  )

flow(
  'a target that sleeps is woken with the remaining time, and the device that answers is not told that the ringing has ended',
  async (t, scenario) => {
    receiver.now = () => scenario.now()
    const [alice, bob] = await connectAliceAndBob(scenario)
    const [watch] = [await sleep(scenario, 'watch'), await sleep(scenario, 'tablet')]
    await alice.post('calls/c1/transfer', { to: { user: 'carol', device: 'watch' }, ringTimeoutMs: 20_000 })
    await bob.expectEvent('call.transferring')
    await untilPushed(scenario, 1)
    await watch.openStream()
    t.match(await watch.expectEvent('call.incoming'), { from: bob.endpoint, transferredBy: alice.endpoint })
    await watch.post('calls/c1/accept')
    await alice.expectEvent('call.ended')
    await bob.expectEvent('call.transferred')
    await watch.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
    await scenario.advance(2000)
    t.strictSame(pushesOf(scenario), [['incoming', 'carol', 'bob', 1]], 'no other device is woken')
    const push = eventsOf(scenario).find(({ type }) => type === 'push')
    t.match(push?.data, { devices: [{ device: 'watch' }] })
    t.ok(Number(push?.data.expiresInMs) <= 20_000 && Number(push?.data.expiresInMs) > 15_000)
  },
  { env }
)
