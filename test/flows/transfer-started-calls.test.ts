// Transfers of calls that an operator has started, and of calls that rang several users.
import type { Test } from 'tap'
import { connect } from '../helpers/connected-call.js'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

interface Users {
  readonly scenario: Scenario
  readonly alice: TestClient
  readonly bob: TestClient
  readonly carol: TestClient
}

/** An operator has connected alice with bob. */
async function startByOperator(scenario: Scenario): Promise<Users> {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  const body = { callId: scenario.toWire('c1'), from: scenario.toWire('alice'), to: scenario.toWire('bob') }
  await operate(scenario, 'POST', 'calls', { node: scenario.lastNode, body })
  await alice.expectEvent('call.incoming')
  await alice.post('calls/c1/accept')
  await bob.expectEvent('call.incoming')
  await connect(alice, bob)
  return { scenario, alice, bob, carol }
}

/** alice has called bob and carol at once, and bob has answered. */
async function startWithSeveral(scenario: Scenario): Promise<Users> {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c1', to: ['bob', 'carol'] })
  for (const client of [bob, carol]) await client.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await carol.expectEvent('call.ended')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  return { scenario, alice, bob, carol }
}

async function transfer(by: TestClient, to: TestClient, other: TestClient): Promise<void> {
  await by.post('calls/c1/transfer', { to: to.user })
  await other.expectEvent('call.transferring')
  await to.expectEvent('call.incoming')
}

async function hangUp(t: Test, { scenario, alice, bob, carol }: Users, [by, other]: readonly [TestClient, TestClient]) {
  await by.post('calls/c1/hangup')
  await other.expectEvent('call.ended')
  await expectFree(t, { scenario, alice, bob, carol })
}

async function expectFree(t: Test, { scenario, alice, bob, carol }: Users): Promise<void> {
  await scenario.cluster.settle()
  for (const { user } of [alice, bob, carol])
    t.same(await scenario.store.leases.list(scenario.toWire(user)), [], `${user} has no lease`)
}

const STARTS = { 'an operator has started': startByOperator, 'rang several users': startWithSeveral }

for (const [how, start] of Object.entries(STARTS))
  for (const isCaller of [true, false]) {
    const who = isCaller ? 'caller' : 'callee'
    const name = `in a call that ${how} the ${who}`
    const sides = ({ alice, bob }: Users) => (isCaller ? ([alice, bob] as const) : ([bob, alice] as const))

    flow(
      `${name} transfers, and the target takes the place`,
      async (t, scenario) => {
        const users = await start(scenario)
        const [[by, other], { carol }] = [sides(users), users]
        await transfer(by, carol, other)
        await carol.post('calls/c1/accept')
        t.match(await by.expectEvent('call.ended'), { reason: 'transferred', endedBy: by.endpoint })
        t.match(await other.expectEvent('call.transferred'), {
          call: { caller: other.endpoint, callee: carol.endpoint }
        })
        const { body } = await operate(scenario, 'GET', 'calls/c1')
        t.match(body.call, { state: 'connecting', caller: other.endpoint, callee: carol.endpoint })
        await hangUp(t, users, [carol, other])
      },
      { env: WITH_ADMIN }
    )

    flow(
      `${name} stays in it with the other party if the target declines, and may transfer again`,
      async (t, scenario) => {
        const users = await start(scenario)
        const [[by, other], { carol }] = [sides(users), users]
        await transfer(by, carol, other)
        await carol.post('calls/c1/reject')
        for (const client of [by, other])
          t.match(await client.expectEvent('call.transfer_failed'), { reason: 'declined' })
        t.match(await by.call('c1'), { state: 'connected', caller: users.alice.endpoint, callee: users.bob.endpoint })
        await transfer(by, carol, other)
        await carol.post('calls/c1/accept')
        await by.expectEvent('call.ended')
        await other.expectEvent('call.transferred')
        await hangUp(t, users, [other, carol])
      },
      { env: WITH_ADMIN }
    )

    flow(
      `${name} transfers and leaves: the call ends for the other one if the target declines`,
      async (t, scenario) => {
        const users = await start(scenario)
        const [[by, other], { carol }] = [sides(users), users]
        await transfer(by, carol, other)
        await by.post('calls/c1/hangup')
        await other.expectEvent('call.transferring')
        await carol.post('calls/c1/reject')
        t.match(await other.expectEvent('call.ended'), { reason: 'declined' })
        await expectFree(t, users)
      },
      { env: WITH_ADMIN }
    )
  }
