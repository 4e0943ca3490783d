// A device joins between the decision to close the room and its commit: the room is closed, and the membership of the device is removed.
import t from 'tap'
import { openProxiedScenario } from '../helpers/own-redis.js'
import { until } from '../helpers/until.js'

t.test('closing a room removes the membership of a device that joins at the same moment', async t => {
  const { scenario, proxy } = await openProxiedScenario(t, { env: { PRESENCE_VISIBILITY: 'shared' } })
  const [alice, bob] = await scenario.addAliceAndBob()
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  const memberships = async (user: string) => (await scenario.store.memberships.list(scenario.toWire(user))).length
  await alice.post('rooms/r1/participants')
  await eve.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')

  const held = proxy.hold('room.closed')
  const closed = alice.request('DELETE', 'rooms/r1')
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
})
