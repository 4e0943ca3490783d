// An operator starts a call between two users: it rings the first, and after its accept the second.
import t, { type Test } from 'tap'
import { decideCall } from '../../src/domain/call/decide-call.js'
import type { CallState } from '../../src/domain/call/state.js'
import type { Call } from '../../src/schemas/call.js'
import { accept } from '../helpers/calls.js'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { FCM, PUSH_KEY } from '../helpers/push.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { Reply, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'

const receiver = await WebhookReceiver.open(secretOf(1))
t.teardown(() => receiver.close())

const env = WITH_ADMIN
/** Pushes only. */
const withPush = {
  ...{ ...WITH_ADMIN, PUSH_KEY, WEBHOOK_URLS: `${receiver.url}#push`, WEBHOOK_SECRETS: secretOf(1) },
  WEBHOOK_ALLOW_PRIVATE: 'true'
}

const start = (scenario: Scenario, more: object = {}): Promise<Reply> =>
  operate(scenario, 'POST', 'calls', {
    node: scenario.lastNode,
    body: { callId: scenario.toWire('c1'), from: scenario.toWire('alice'), to: scenario.toWire('bob'), ...more }
  })

const shown = async (scenario: Scenario) => (await operate(scenario, 'GET', 'calls/c1')).body.call as Call

/** The operator has started the call, and the first user's phone rings. */
async function ringFirst(scenario: Scenario, more: object = {}): Promise<[alice: TestClient, bob: TestClient]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  const { status } = await start(scenario, more)
  if (status !== 201) throw new Error(`${status}`)
  await alice.expectEvent('call.incoming')
  return [alice, bob]
}

async function expectFree(t: Test, clients: readonly TestClient[], scenario: Scenario): Promise<void> {
  await scenario.cluster.settle()
  for (const client of clients) {
    t.same(await client.activeCalls(), [])
    t.same(await scenario.store.leases.list(scenario.toWire(client.user)), [], client.user)
  }
}

flow(
  'the first user rings, then calls the second one, who sees an ordinary call',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const watch = await scenario.addClient('alice', 'watch')
    const first = await start(scenario, { media: 'audio', metadata: { ticket: 7 } })
    t.match(first, { status: 201, body: { call: { state: 'ringing', media: 'audio', blocked: false } } })
    const from = { user: 'bob', device: 'operator' }
    const incoming = { from, startedBy: 'operator', media: 'audio', metadata: { ticket: 7 }, expiresInMs: 30_000 }
    for (const device of [alice, watch]) {
      t.match(await device.expectEvent('call.incoming'), {
        ...incoming,
        call: { caller: from, callee: { user: 'alice' } }
      })
      t.same(await device.activeCalls(), ['c1'])
    }
    t.match(await bob.request('GET', 'calls/c1'), { status: 404 }, 'the second user learns nothing yet')
    t.same(await bob.activeCalls(), [])
    await bob.expectRefusal('call_not_found', 'calls/c1/accept')
    t.match(await alice.post('calls/c1/ringing'), { call: { state: 'ringing' } })
    await alice.expectRefusal('wrong_party', 'calls/c1/cancel')
    const offer = { offer: { type: 'offer', sdp: sdp('aliceA') } }
    const accepted = await alice.post('calls/c1/accept', offer)
    t.match(accepted.call, { state: 'ringing', caller: alice.endpoint, callee: { user: 'bob', device: null } })
    t.match(await watch.expectEvent('call.ended'), { reason: 'answered_elsewhere', endedBy: alice.endpoint })
    const rung = await bob.expectEvent('call.incoming')
    t.match(rung, { from: alice.endpoint, metadata: { ticket: 7 }, expiresInMs: 30_000, offer: { revision: 1 } })
    t.notOk('startedBy' in rung)
    t.match(await alice.post('calls/c1/accept', offer), { call: { caller: alice.endpoint } }, 'a retry')
    await watch.expectRefusal('answered_elsewhere', 'calls/c1/accept')
    await bob.post('calls/c1/ringing')
    await alice.expectEvent('call.ringing')
    await bob.post('calls/c1/accept', { answer: { type: 'answer', sdp: sdp('bobB') } })
    t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint, answer: { revision: 1 } })
    await alice.post('calls/c1/connected')
    await bob.expectEvent('call.connected')
    const { body } = await operate(scenario, 'GET', 'calls/c1/timeline')
    t.match(
      (body.entries as { type: string }[])
        .map(({ type }) => type)
        .filter(type => type !== 'offer' && type !== 'answer'),
      ['created', 'ringing', 'accepted', 'callee_changed', 'ringing', 'accepted', 'connected']
    )
    await bob.post('calls/c1/hangup')
    t.match(await alice.expectEvent('call.ended'), { reason: 'hangup', endedBy: bob.endpoint })
    await expectFree(t, [alice, bob], scenario)
  },
  { env }
)

flow(
  'a repeat with the same id returns the call, and an id of a user is taken',
  async (t, scenario) => {
    const [alice, bob] = await ringFirst(scenario)
    const again = await Promise.all([start(scenario), start(scenario)])
    t.match(again, [{ status: 200, body: { call: { callId: 'c1' } } }, { status: 200 }])
    await alice.post('calls/c1/reject')
    t.match(await start(scenario), { status: 200, body: { call: { state: 'ended', reason: 'declined' } } })
    await bob.post('calls', { callId: 'c2', to: 'alice' })
    await alice.expectEvent('call.incoming')
    t.match(await start(scenario, { callId: scenario.toWire('c2') }), { status: 409, body: { code: 'call_id_taken' } })
    await alice.expectRefusal('call_id_taken', 'calls', { callId: 'c1', to: 'bob' })
    await bob.post('calls/c2/cancel')
    await alice.expectEvent('call.ended')
    await expectFree(t, [alice, bob], scenario)
    for (const body of [{ to: scenario.toWire('alice') }, { to: '' }, { ringTimeoutMs: 1 }, { other: 1 }])
      t.match((await start(scenario, { callId: 'c9', ...body })).status, 400)
  },
  { env }
)

const FIRST: Readonly<Record<string, (scenario: Scenario, alice: TestClient) => Promise<unknown>>> = {
  declined: async (_, alice) => alice.post('calls/c1/reject'),
  no_answer: scenario => scenario.advance(31_000),
  server: scenario => operate(scenario, 'POST', 'calls/c1/end')
}

for (const [reason, act] of Object.entries(FIRST))
  flow(
    `when the first user does not accept (${reason}) the call ends, and the second one learns nothing`,
    async (t, scenario) => {
      const [alice, bob] = await ringFirst(scenario)
      await act(scenario, alice)
      if (reason !== 'declined') t.match(await alice.expectEvent('call.ended'), { reason })
      t.match(await shown(scenario), { state: 'ended', reason })
      t.match(await bob.request('GET', 'calls/c1'), { status: 404 })
      await alice.expectRefusal('call_ended', 'calls/c1/accept')
      await expectFree(t, [alice, bob], scenario)
    },
    { env }
  )

const SECOND: Readonly<Record<string, (scenario: Scenario, bob: TestClient) => Promise<unknown>>> = {
  declined: async (_, bob) => bob.post('calls/c1/reject'),
  no_answer: async (scenario, bob) => {
    await scenario.advance(31_000)
    await bob.expectEvent('call.ended')
  }
}

for (const [reason, act] of Object.entries(SECOND))
  flow(
    `when the second user does not accept (${reason}) the call ends for the first one with that reason`,
    async (t, scenario) => {
      const [alice, bob] = await ringFirst(scenario)
      await alice.post('calls/c1/accept')
      await bob.expectEvent('call.incoming')
      await act(scenario, bob)
      t.match(await alice.expectEvent('call.ended'), { reason })
      await expectFree(t, [alice, bob], scenario)
    },
    { env }
  )

flow(
  'a first user who is in a call is busy, and so is a second one when its turn has come',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet')
    await alice.post('calls', { callId: 'c5', to: 'carol' })
    await carol.expectEvent('call.incoming')
    t.match(await start(scenario), { status: 409, body: { code: 'callee_busy' } })
    t.match(await start(scenario, { from: scenario.toWire('bob'), to: scenario.toWire('alice') }), { status: 201 })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept')
    t.match(await bob.expectEvent('call.ended'), { callId: 'c1', reason: 'busy' })
    await alice.post('calls/c5/cancel')
    await carol.expectEvent('call.ended')
    await expectFree(t, [alice, bob, carol], scenario)
  },
  { env }
)

flow(
  'no operator overrides a block, in either direction, or rings a user who cannot be reached unless asked to',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const UNREACHABLE = { status: 409, body: { code: 'callee_unreachable' } }
    for (const [who, whom] of [
      [alice, 'bob'],
      [bob, 'alice']
    ] as const) {
      t.equal((await who.request('PUT', `blocks/${scenario.toPath(whom)}`)).status, 204)
      for (const whenOffline of ['ring', 'reject']) t.match(await start(scenario, { whenOffline }), UNREACHABLE)
      t.equal((await who.request('DELETE', `blocks/${scenario.toPath(whom)}`)).status, 204)
    }
    for (const pair of [{ from: scenario.toWire('dave') }, { to: scenario.toWire('dave') }])
      t.match(await start(scenario, { ...pair, whenOffline: 'reject' }), UNREACHABLE)
    t.equal((await start(scenario)).status, 201)
    await alice.expectEvent('call.incoming')
    t.equal((await bob.request('PUT', `blocks/${scenario.toPath('alice')}`)).status, 204)
    await alice.post('calls/c1/accept')
    await scenario.advance(31_000)
    t.match(await alice.expectEvent('call.ended'), { reason: 'no_answer' }, 'as for any blocked caller')
    t.match(await bob.request('GET', 'calls/c1'), { status: 404 })
    await expectFree(t, [alice, bob], scenario)
  },
  { env }
)

flow(
  'a device of the first user that comes online while the call rings is rung, and so is one of the second',
  async (t, scenario) => {
    t.equal((await start(scenario, { whenOffline: 'ring' })).status, 201)
    const [alice, bob] = [await scenario.addClient('alice', 'phone'), 'later']
    t.match(await alice.expectEvent('call.incoming'), {
      startedBy: 'operator',
      from: { user: 'bob', device: 'operator' }
    })
    t.equal(bob, 'later')
    await alice.post('calls/c1/accept')
    await scenario.cluster.settle()
    const laptop = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    t.match(await laptop.expectEvent('call.incoming'), { from: alice.endpoint })
    await laptop.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/hangup')
    await laptop.expectEvent('call.ended')
    await expectFree(t, [alice, laptop], scenario)
  },
  { env }
)

flow(
  'a node that dies when the first user has accepted: another one rings the second user',
  async (t, scenario) => {
    const [alice, bob] = await ringFirst(scenario)
    const ref = { kind: 'call', id: scenario.toWire('c1') } as const
    const stored = await scenario.store.aggregates.load(ref)
    const before = JSON.parse(stored?.state ?? '') as CallState
    const now = scenario.now()
    const device = { user: scenario.toWire('alice'), device: 'phone' }
    const { state } = decideCall(before, accept(device), now)
    const { version, tag = '' } = stored ?? { version: 0 }
    const commit = { mail: [], log: [], deadlineAt: state.limitAt, expireInMs: null, now }
    const written = { expected: { version, tag }, version: state.version, tag: 'dead', state: JSON.stringify(state) }
    t.match(await scenario.store.aggregates.commit(ref, { ...commit, ...written }), { ok: true })
    await scenario.advance(2_000)
    t.match(await bob.expectEvent('call.incoming'), { from: alice.endpoint })
    await bob.post('calls/c1/accept')
    t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint })
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
    await expectFree(t, [alice, bob], scenario)
  },
  { env }
)

flow(
  'both users are woken when their turn comes, and only then',
  async (t, scenario) => {
    const sleeping = async (user: string, device: string) => {
      const client = await scenario.addClient(user, device, { silent: true, node: scenario.lastNode })
      t.equal((await client.request('PUT', `devices/${device}/push`, FCM)).status, 204)
      return client
    }
    const [alice, , bob] = [
      await sleeping('alice', 'phone'),
      await sleeping('alice', 'watch'),
      await sleeping('bob', 'laptop')
    ]
    receiver.now = () => scenario.now()
    const pushes = () =>
      scenario
        .fromWire(receiver.events.map(({ event }) => event))
        .filter(({ data }) => data.callId === 'c1')
        .map(({ data }) => [
          data.kind,
          data.user,
          (data.from as { device: string }).device,
          (data.devices as object[]).length
        ])
    const untilPushed = (count: number) =>
      until(`${count} pushes`, async () => {
        await scenario.advance(125)
        return pushes().length >= count
      })
    t.equal((await start(scenario)).status, 201)
    await untilPushed(1)
    t.same(pushes(), [['incoming', 'alice', 'operator', 2]])
    await alice.openStream()
    await alice.expectEvent('call.incoming')
    await alice.post('calls/c1/accept')
    await untilPushed(3)
    t.same(pushes().slice(1).sort(), [
      ['cancelled', 'alice', 'operator', 1],
      ['incoming', 'bob', 'phone', 1]
    ])
    await bob.openStream()
    t.match(await bob.expectEvent('call.incoming'), { from: alice.endpoint })
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    await expectFree(t, [alice, bob], scenario)
  },
  { env: withPush }
)
