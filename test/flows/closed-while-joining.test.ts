// A device joins between the decision to close its room and the commit of that: the room is closed, and nothing says that the device is in it.
import t from 'tap'
import { House, SETTINGS } from '../helpers/house.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'
import { Stage } from '../helpers/stage.js'
import { until } from '../helpers/until.js'

const TWO_NODES = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 2)

for (const setting of TWO_NODES) {
  t.test('closing a room forgets the membership of a device that joins at that moment', async t => {
    const server = await startRedis()
    const proxy = await startProxy(server.port)
    const through = { ...server, url: `redis://127.0.0.1:${proxy.port}`, port: proxy.port }
    const house = await House.open(setting, { PRESENCE_VISIBILITY: 'shared' }, through)
    const stage = new Stage(house)
    t.teardown(async () => {
      await stage.clear()
      await house.close()
      await proxy.close()
      await server.stop()
    })
    const [alice, bob] = await stage.enterBoth()
    const eve = await stage.enter('eve', 'phone', { node: stage.far })
    const memberships = async (user: string) => (await stage.store.memberships.list(stage.marked(user))).length
    await alice.does('rooms/r1/participants')
    await eve.does('rooms/r1/participants')
    await alice.hears('room.participant_joined')

    const held = proxy.hold('room.closed')
    const closed = alice.ask('DELETE', 'rooms/r1')
    const commit = await held
    await bob.does('rooms/r1/participants')
    commit.release()
    t.equal((await closed).status, 204)
    for (const user of ['alice', 'bob', 'eve']) {
      await until(`${user} is in no room`, async () => (await memberships(user)) === 0)
    }
    for (const person of [bob, eve]) {
      t.match((await person.ask('GET', 'snapshot')).body, { rooms: [] })
      const other = person === bob ? 'eve' : 'bob'
      const { body } = await person.ask('GET', `presence?users=${stage.marked(other)}`)
      t.match(body, { presences: [{ state: 'offline' }] }, 'they share no room')
    }
  })
}
