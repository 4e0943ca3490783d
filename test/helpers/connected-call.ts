// A call in which both sides have reported media.
import type { Scenario } from './scenario.js'
import type { TestClient } from './test-client.js'

/** alice has called bob. */
export async function connectAliceAndBob(scenario: Scenario): Promise<[alice: TestClient, bob: TestClient]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await connect(alice, bob)
  return [alice, bob]
}

/** The callee, whose device rings, accepts. */
export async function connect(caller: TestClient, callee: TestClient, callId = 'c1'): Promise<void> {
  await callee.post(`calls/${callId}/accept`)
  await caller.expectEvent('call.accepted')
  await caller.post(`calls/${callId}/connected`)
  await callee.expectEvent('call.connected')
}
