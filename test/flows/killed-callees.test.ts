// A node is killed while it serves a call to several users.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { TestClient } from '../helpers/test-client.js'

const [VICTIM, SURVIVOR] = [0, 1]
const fleet = await Fleet.launch(2, undefined, { RING_TIMEOUT_MS: '2000' })
t.teardown(() => fleet.stop())

async function addClients(prefix: string, ...users: readonly string[]): Promise<TestClient[]> {
  const clients: TestClient[] = []
  for (const user of users) {
    const client = await TestClient.create(fleet, { user: prefix + user, device: 'phone', node: SURVIVOR })
    await client.openStream()
    clients.push(client)
  }
  return clients
}

t.test('the next user rings after the node that took the decline was killed', async t => {
  const [alice, bob, carol, dave] = (await addClients('1-', 'alice', 'bob', 'carol', 'dave')) as [
    TestClient,
    TestClient,
    TestClient,
    TestClient
  ]
  for (const client of [alice, bob]) client.useNode(VICTIM)
  const to = [bob, carol, dave].map(({ user }) => user)
  await alice.post('calls', { callId: 'c1', to, ringStrategy: 'sequence' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/reject')
  await fleet.kill(VICTIM)
  for (const client of [alice, bob]) client.useNode(SURVIVOR)
  await carol.expectEvent('call.incoming')
  t.match(await carol.expectEvent('call.ended'), { reason: 'no_answer' }, 'the timer fires on the other node')
  await dave.expectEvent('call.incoming')
  await dave.post('calls/c1/accept')
  const changes = ['bob', 'carol', 'carol', 'dave'].map(() => alice.expectEvent('call.callee_changed'))
  for (const change of changes) await change
  t.match(await alice.expectEvent('call.accepted'), { by: { user: dave.user } })
  await alice.post('calls/c1/hangup')
  await dave.expectEvent('call.ended')
  for (const client of [alice, bob, carol, dave]) {
    t.same(await client.activeCalls(), [])
    await client.checkMailbox(t)
  }
})

t.test('the others stop ringing after the node that took the accept was killed', async t => {
  await fleet.start(VICTIM)
  const [alice, bob, carol] = (await addClients('2-', 'alice', 'bob', 'carol')) as [TestClient, TestClient, TestClient]
  for (const client of [alice, bob]) client.useNode(VICTIM)
  await alice.post('calls', { callId: 'c2', to: [bob.user, carol.user] })
  for (const client of [bob, carol]) await client.expectEvent('call.incoming')
  await bob.post('calls/c2/accept')
  await fleet.kill(VICTIM)
  for (const client of [alice, bob]) client.useNode(SURVIVOR)
  t.match(await carol.expectEvent('call.ended'), { reason: 'answered_elsewhere' })
  t.match(await alice.expectEvent('call.accepted'), { by: { user: bob.user } })
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'c3', to: alice.user })
  await alice.post('calls/c2/hangup')
  await bob.expectEvent('call.ended')
  // Nothing of the call is left with carol.
  await carol.post('calls', { callId: 'c4', to: bob.user })
  await bob.expectEvent('call.incoming')
  await carol.post('calls/c4/cancel')
  await bob.expectEvent('call.ended')
  for (const client of [alice, bob, carol]) await client.checkMailbox(t)
})
