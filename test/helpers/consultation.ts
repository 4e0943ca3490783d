// alice consults carol before she transfers her call with bob.
import type { Test } from 'tap'
import { connect } from './connected-call.js'
import type { Scenario } from './scenario.js'
import type { TestClient } from './test-client.js'

export interface Consulting {
  readonly alice: TestClient
  readonly bob: TestClient
  readonly carol: TestClient
}

export async function talk(caller: TestClient, callee: TestClient, body: { callId: string; consultationOf?: string }) {
  await caller.post('calls', { ...body, to: callee.user })
  await callee.expectEvent('call.incoming')
  await connect(caller, callee, body.callId)
}

/** alice talks with bob in c1, which is on hold, and with carol in c2. */
export async function consult(scenario: Scenario): Promise<Consulting> {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  await talk(alice, bob, { callId: 'c1' })
  await alice.post('calls/c1/hold')
  await bob.expectEvent('call.held')
  await scenario.advance(1000)
  await talk(alice, carol, { callId: 'c2', consultationOf: 'c1' })
  return { alice, bob, carol }
}

/** alice joins bob and carol in c1, which rings carol. */
export async function ring(
  t: Test,
  { alice, bob, carol }: Consulting,
  [callId, toCall]: readonly [string, string] = ['c1', 'c2']
): Promise<void> {
  const { call } = await alice.post(`calls/${callId}/transfer`, { toCall })
  t.match(call, { callId: 'c1', transfer: { by: 'caller', to: carol.endpoint, toCall: 'c2' } })
  t.match(await bob.expectEvent('call.transferring'), { callId: 'c1', to: carol.endpoint, toCall: 'c2' })
  t.match(await carol.expectEvent('call.incoming'), {
    callId: 'c1',
    from: bob.endpoint,
    transferredBy: alice.endpoint,
    replaces: 'c2'
  })
}

/** No call has left a lease. */
export async function isFree(t: Test, scenario: Scenario, ...clients: readonly TestClient[]): Promise<void> {
  await scenario.cluster.settle()
  for (const { user } of clients)
    t.same(await scenario.store.leases.list(scenario.toWire(user)), [], `${user} has no lease`)
}

export async function hangUp(callId: string, first: TestClient, ...others: readonly TestClient[]): Promise<void> {
  await first.post(`calls/${callId}/hangup`)
  for (const client of others) await client.expectEvent('call.ended')
}
