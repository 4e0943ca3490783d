// A device joins between the decision to close the room and its commit: the room is closed, and the membership of the device is removed.
import t, { type Test } from 'tap'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { openProxiedScenario } from '../helpers/own-redis.js'
import type { Scenario } from '../helpers/scenario.js'
import type { Reply, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const CLOSES: Readonly<Record<string, (scenario: Scenario, alice: TestClient) => Promise<Reply>>> = {
  'its owner': (_, alice) => alice.request('DELETE', 'rooms/r1'),
  'an operator': scenario => operate(scenario, 'DELETE', 'rooms/r1')
}

for (const [by, close] of Object.entries(CLOSES))
  t.test(`when ${by} closes a room, a device that joins at the same moment keeps no membership`, t =>
    joinDuringClose(t, close)
  )

async function joinDuringClose(t: Test, close: (scenario: Scenario, alice: TestClient) => Promise<Reply>) {
  const { scenario, proxy } = await openProxiedScenario(t, { env: { PRESENCE_VISIBILITY: 'shared', ...WITH_ADMIN } })
  const [alice, bob] = await scenario.addAliceAndBob()
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  const memberships = async (user: string) => (await scenario.store.memberships.list(scenario.toWire(user))).length
  await alice.post('rooms/r1/participants')
  await eve.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')

  const held = proxy.hold('room.closed')
  const closed = close(scenario, alice)
  const commit = await held
  await bob.post('rooms/r1/participants')
  commit.release()
  t.equal((await closed).status, 204)
  for (const user of ['alice', 'bob', 'eve']) {
    await until(`${user} is in no room`, async () => (await memberships(user)) === 0)
  }
  for (const client of [bob, eve]) {
    t.match((await client.request('GET', 'snapshot')).body, { rooms: [] })
    const other = client === bob ? 'eve' : 'bob'
    const { body } = await client.request('GET', `presence?users=${scenario.toPath(other)}`)
    t.match(body, { presences: [{ state: 'offline' }] }, 'they share no room')
  }
}
