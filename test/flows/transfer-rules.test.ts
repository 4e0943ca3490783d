// Blocks, back-off, the policy, webhooks and presence hold for transfers, too: alice and bob are in a call, and alice transfers it.
import t, { type Test } from 'tap'
import type { CallTimeline } from '../../src/schemas/timeline.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'
import { openReceiver } from '../helpers/webhooks.js'

async function connect(scenario: Scenario): Promise<[alice: TestClient, bob: TestClient]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  return [alice, bob]
}

async function hangUp(one: TestClient, other: TestClient): Promise<void> {
  await one.post('calls/c1/hangup')
  await other.expectEvent('call.ended')
}

const block = (who: TestClient, scenario: Scenario, user: string) =>
  who.request('PUT', `blocks/${scenario.toPath(user)}`)

async function policyLines(t: Test, client: TestClient): Promise<unknown[]> {
  const { status, body } = await client.request('GET', 'calls/c1/timeline')
  t.equal(status, 200)
  const { entries } = body as unknown as CallTimeline
  return entries.filter(({ type }) => type === 'policy').map(({ event, outcome }) => `${event} ${outcome}`)
}

flow('a target who blocks the transferor or the other party is as one who is offline', async (t, scenario) => {
  const [alice, bob] = await connect(scenario)
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  const dave = await scenario.addClient('dave', 'phone')
  await block(carol, scenario, 'alice')
  await block(dave, scenario, 'bob')
  const refused = async (to: string) => {
    const {
      type: _,
      instance: __,
      ...problem
    } = await alice.expectRefusal('callee_unreachable', 'calls/c1/transfer', { to })
    return problem
  }
  const nobody = await refused('nobody')
  for (const { user } of [carol, dave]) t.same(await refused(user), nobody)
  await hangUp(alice, bob)
})

flow(
  'a named device that is offline is unreachable, although another one of the user is online',
  async (t, scenario) => {
    const [alice, bob] = await connect(scenario)
    const carol = await scenario.addClient('carol', 'phone')
    await alice.expectRefusal('callee_unreachable', 'calls/c1/transfer', { to: { user: 'carol', device: 'tablet' } })
    await alice.post('calls/c1/transfer', { to: { user: 'carol', device: 'phone' } })
    await bob.expectEvent('call.transferring')
    await carol.expectEvent('call.incoming')
    t.match(await alice.request('DELETE', 'calls/c1/transfer'), { status: 200 })
    await bob.expectEvent('call.transfer_failed')
    await carol.expectEvent('call.ended')
    await hangUp(alice, bob)
  }
)

flow(
  'a transferor waits after a target has declined',
  async (t, scenario) => {
    const [alice, bob] = await connect(scenario)
    const carol = await scenario.addClient('carol', 'phone')
    const attempt = () => alice.request('POST', 'calls/c1/transfer', { to: 'carol' })
    let reply = await attempt()
    for (let n = 1; reply.status === 200 && n <= 3; n++) {
      await bob.expectEvent('call.transferring')
      await carol.expectEvent('call.incoming')
      await carol.post('calls/c1/reject')
      for (const client of [alice, bob]) await client.expectEvent('call.transfer_failed')
      reply = await attempt()
    }
    t.match(reply.body, { code: 'rate_limited' })
    await hangUp(alice, bob)
  },
  { env: { CALL_BACKOFF_MS: '60000' } }
)

flow(
  'with OFFLINE_CALLS=ring a target who blocks the transferor seems not to answer, and is called back as late',
  async (t, scenario) => {
    const [alice, bob] = await connect(scenario)
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    await block(carol, scenario, 'alice')
    // Of a user who does not exist and of one who blocks: what the transferor sees must be the same.
    const seen: unknown[][] = []
    for (const to of ['nobody', 'carol']) {
      const replies: unknown[] = []
      for (const end of ['cancelled', 'no_answer', 'refused']) {
        const { status, body } = await alice.request('POST', 'calls/c1/transfer', { to, ringTimeoutMs: 5000 })
        replies.push([status, body.code])
        if (end === 'refused') break
        await bob.expectEvent('call.transferring')
        if (end === 'cancelled') await alice.request('DELETE', 'calls/c1/transfer')
        else await scenario.advance(6500)
        replies.push((await bob.expectEvent('call.transfer_failed')).reason)
      }
      await alice.expectEvent('call.transfer_failed')
      seen.push(replies)
    }
    t.same(seen[0], [[200, undefined], 'cancelled', [200, undefined], 'no_answer', [429, 'rate_limited']])
    t.same(seen[1], seen[0])
    await hangUp(alice, bob)
  },
  { env: { OFFLINE_CALLS: 'ring', CALL_BACKOFF_MS: '60000' } }
)

const service = await PolicyService.start(({ action, ...question }: { action: string; to?: string }) => {
  if (action !== 'transfer') return { allow: true }
  if (question.to === 'boss') return { allow: false, reason: 'not the boss' }
  if (question.to === 'desk') return { allow: true, to: 'carol', ringTimeoutMs: 7000 }
  return question.to === 'mirror' ? { allow: true, to: 'bob' } : { allow: true }
})
t.teardown(() => service.close())
const policy = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

flow(
  'the policy denies and redirects transfers, and only the transferor learns of it',
  async (t, scenario) => {
    const [alice, bob] = await connect(scenario)
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    await bob.expectRefusal('policy_denied', 'calls/c1/transfer', { to: 'boss' })
    await alice.expectRefusal('redirect_loop', 'calls/c1/transfer', { to: 'mirror' })
    t.notOk('transfer' in (await alice.call('c1')), 'nothing is written')
    await scenario.advance(1000)
    const { call } = await bob.post('calls/c1/transfer', { to: 'desk' })
    t.match(call, { transfer: { by: 'callee', to: { user: 'carol' }, expiresInMs: 7000 } })
    await alice.expectEvent('call.transferring')
    const incoming = await carol.expectEvent('call.incoming')
    t.notMatch(JSON.stringify(incoming), 'desk')
    await carol.post('calls/c1/accept')
    await bob.expectEvent('call.ended')
    await alice.expectEvent('call.transferred')
    t.same(await policyLines(t, bob), ['transfer redirected', 'transfer allowed'])
    t.same(await policyLines(t, alice), ['call allowed'])
    t.same(await policyLines(t, carol), [])
    const asked = scenario.fromWire(service.received).filter(each => 'callId' in each && each.callId === 'c1')
    t.match(asked.at(-1), {
      action: 'transfer',
      caller: bob.endpoint,
      transferee: alice.endpoint,
      to: 'carol',
      redirectedFrom: ['desk']
    })
    await hangUp(carol, alice)
  },
  { env: policy }
)

const all = await openReceiver()

flow(
  'the systems of the operator receive each event of a transfer once, and one record',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await connect(scenario)
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    const tablet = await scenario.addClient('carol', 'tablet')
    await alice.post('calls/c1/transfer', { to: 'carol' })
    await bob.expectEvent('call.transferring')
    for (const client of [carol, tablet]) await client.expectEvent('call.incoming')
    await carol.post('calls/c1/accept')
    await tablet.expectEvent('call.ended')
    await alice.expectEvent('call.ended')
    await bob.expectEvent('call.transferred')
    await hangUp(carol, bob)
    const received = () =>
      all.receiver.events.map(({ event }) => event).filter(({ data }) => data.callId === scenario.toWire('c1'))
    await until('the record has arrived', () => received().some(({ type }) => type === 'call.record'))
    t.strictSame(
      received().map(({ type }) => type),
      [
        ...['call.incoming', 'call.accepted', 'call.connected', 'call.transferring', 'call.incoming'],
        ...['call.transferred', 'call.ended', 'call.record']
      ]
    )
  },
  { env: all.env }
)

flow('all three are busy while they are in the call, and the transferor is free after it', async (t, scenario) => {
  const watcher = await scenario.addClient('walter', 'phone')
  const [alice, bob] = await connect(scenario)
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  const stateOf = async (user: string) => {
    const { body } = await watcher.request('GET', `presence?users=${scenario.toPath(user)}`)
    return (body.presences as { state: string }[])[0]?.state
  }
  const states = () => Promise.all(['alice', 'bob', 'carol'].map(stateOf))
  await until('the parties are busy', async () => `${await states()}` === 'busy,busy,online')
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  await carol.post('calls/c1/accept')
  await alice.expectEvent('call.ended')
  await bob.expectEvent('call.transferred')
  await until('the transferor is free', async () => `${await states()}` === 'online,busy,busy')
  await hangUp(carol, bob)
  await until('all are free', async () => `${await states()}` === 'online,online,online')
  t.pass('each state was seen')
})
