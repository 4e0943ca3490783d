// Rooms during an outage of Redis: no deadline passes in that time.
import t from 'tap'
import { startRedis } from '../helpers/redis.js'
import { join, meet } from '../helpers/rooms.js'
import { Scenario } from '../helpers/scenario.js'
import { TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const OUTAGE_MS = 60_000

const redis = await startRedis()
const cluster = await TestCluster.open({ name: 'Redis with outages', engine: 'redis', nodes: 2 }, {}, redis)
t.teardown(async () => {
  await cluster.close()
  await redis.stop()
})

const isReady = async (ready: boolean) => {
  const replies = await Promise.all([0, 1].map(node => fetch(`${cluster.urlOf(node)}/readyz`)))
  return replies.every(({ ok }) => ok === ready)
}

/** Longer than every timeout of a room. */
async function outage(): Promise<void> {
  redis.pause()
  await until('both nodes have lost Redis', () => isReady(false))
  for (let passed = 0; passed < OUTAGE_MS; passed += 1_000) {
    cluster.clock.advance(1_000)
    await new Promise(setImmediate)
  }
  redis.resume()
  await until('both nodes have Redis again', () => isReady(true))
}

t.test(
  'when Redis has an outage while a device is away, the device has its full time to reconnect afterwards',
  async t => {
    const scenario = new Scenario(cluster)
    t.teardown(() => scenario.closeStreams())
    const [alice, bob, carol] = await meet(scenario)
    for (const { who } of [bob, carol]) await who.closeStream()
    await scenario.waitForStreams(1)
    for (let n = 0; n < 2; n++) await alice.who.expectEvent('room.participant_updated')
    await scenario.advance(500)
    await outage()
    await scenario.advance(scenario.config.roomReconnectMs - 1_000)
    await bob.who.openStream()
    t.match(await alice.who.expectEvent('room.participant_updated'), { participant: { user: 'bob', away: false } })
    await bob.who.expectEvent('room.participant_updated')
    await scenario.advance(scenario.config.presenceTtlMs)
    for (const { who } of [alice, bob]) {
      t.match(await who.expectEvent('room.participant_left'), { participantId: carol.id, reason: 'lost' })
    }
  }
)

t.test('when Redis has an outage, invitations go on ringing and empty rooms stay open for their full time', async t => {
  const scenario = new Scenario(cluster)
  t.teardown(() => scenario.closeStreams())
  const [alice, bob] = await scenario.addAliceAndBob()
  await join(alice, 'r1')
  const left = await join(alice, 'r2')
  await alice.request('DELETE', `rooms/r2/participants/${left.id}`)
  await alice.post('rooms/r1/invitations', { users: [scenario.toWire('bob')], invitationId: scenario.toWire('i1') })
  await bob.expectEvent('room.invitation')
  await outage()
  await scenario.advance(2_000)
  t.equal((await bob.request('POST', `rooms/r1/invitations/${scenario.toPath('i1')}/accept`)).status, 200)
  await alice.expectEvent('room.invitation_ended')
  t.equal((await alice.request('GET', 'rooms/r2')).status, 200)
})
