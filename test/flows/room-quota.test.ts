// Limits on the number of rooms, and how long unused rooms and memberships are kept.
import { join } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'

flow(
  'when a device is in MAX_ROOMS_PER_DEVICE rooms, another join is refused; a membership left by a crash does not count',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    const tablet = await scenario.addClient('alice', 'tablet', { silent: true })
    const first = await join(alice, 'r1')
    await join(alice, 'r2')
    t.match(await alice.request('POST', 'rooms/r3/participants'), { status: 409, body: { code: 'too_many_rooms' } })
    await join(tablet, 'r3')
    t.match(await alice.request('GET', 'snapshot'), { body: { rooms: { length: 2 } } }, 'only the rooms of this device')
    t.match(await tablet.request('GET', 'snapshot'), { body: { rooms: [{ device: 'tablet' }] } })
    t.match(await alice.request('POST', 'rooms/r1/participants'), { status: 200 }, 'the device is in this room already')
    await alice.request('DELETE', `rooms/r1/participants/${first.id}`)
    const left = { user: scenario.toWire('alice'), device: 'phone', participantId: 'left-by-a-crash' }
    await scenario.store.memberships.add(left, scenario.toWire('r9'), { max: 2, now: scenario.now() - 60_000 })
    await join(alice, 'r3')
  },
  { env: { MAX_ROOMS_PER_DEVICE: '2' } }
)

flow(
  'when a user has created RATE_LIMIT_ROOMS rooms, they may only join those of others',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await join(alice, 'r1')
    await alice.request('PUT', 'rooms/r2', {})
    await alice.request('PUT', 'rooms/r2', { locked: true })
    t.match(await alice.request('PUT', 'rooms/r3', {}), { status: 429, body: { code: 'rate_limited' } })
    await alice.expectRefusal('rate_limited', 'rooms/r3/participants')
    t.equal(await scenario.store.rooms.load(scenario.toWire('r3'), 'all'), null)
    await join(bob, 'r3')
    await join(alice, 'r3')
    await bob.expectEvent('room.participant_joined')
  },
  { env: { RATE_LIMIT_ROOMS: '2' } }
)

flow('when a room is closed, its memberships are removed', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await join(alice, 'r1')
  await join(bob, 'r1')
  await alice.expectEvent('room.participant_joined')
  await alice.request('DELETE', 'rooms/r1')
  await bob.expectEvent('room.closed')
  const lists = () => Promise.all(['alice', 'bob'].map(user => scenario.store.memberships.list(scenario.toWire(user))))
  await until('no membership is left', async () => (await lists()).flat().length === 0)
  t.match(await bob.request('GET', 'snapshot'), { body: { rooms: [] } })
})

flow(
  'when no device joins a new room, it closes an hour after its creation, even if its settings were changed',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    await alice.request('PUT', 'rooms/r1', {})
    await scenario.advance(40_000)
    t.match(await alice.request('PUT', 'rooms/r1', { callType: 'audio' }), { status: 200 })
    t.match(await alice.request('GET', 'rooms/r1'), { status: 200 })
    const isOver = async () => {
      scenario.cluster.clock.advance(600_000)
      await scenario.advance(2_000)
      const room = await scenario.store.rooms.load(scenario.toWire('r1'), ['settings'])
      return JSON.parse(room?.fields.get('settings')?.value ?? '{"closed":"gone"}').closed !== null
    }
    let tenMinutes = 0
    while (!(await isOver())) tenMinutes++
    t.equal(tenMinutes, 5)
  }
)
