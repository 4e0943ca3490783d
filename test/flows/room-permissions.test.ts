// What roles, token claims and bans allow in a room, through the API.
import { join, meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

flow('when a token is for other rooms, this room refuses it', async (t, scenario) => {
  const [alice] = await meet(scenario)
  const eve = await scenario.addClient('eve', 'phone', { rooms: { r2: { role: 'host' } } })
  await eve.expectRefusal('not_permitted', 'rooms/r1/participants')
  t.match(await eve.request('GET', 'rooms/r1'), { status: 403, body: { code: 'not_permitted' } })
  t.match(await eve.request('DELETE', `rooms/r1/participants/${alice.id}`), { status: 403 })
  t.match(await eve.request('PUT', 'rooms/r3'), { body: { code: 'not_permitted' } })
  t.match(await eve.post('rooms/r2/participants'), { participants: [{ role: 'host' }] })
  t.match(await eve.request('GET', 'snapshot'), { body: { rooms: [{ room: { roomId: 'r2' } }] } })
})

flow('when a token claims a role in a room, the participant has it', async (t, scenario) => {
  const rooms = { '*': { role: 'listener' as const }, r1: { role: 'moderator' as const } }
  const [alice, bob, carol] = await meet(scenario)
  const mia = await scenario.addClient('mia', 'desk', { rooms, node: scenario.lastNode })
  const joined = await join(mia, 'r1')
  for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
  t.match(await mia.request('PATCH', `rooms/r1/participants/${bob.id}`, { mute: ['video'] }), { status: 200 })
  t.match(await bob.who.expectEvent('room.mute_requested'), { mute: ['video'], by: mia.endpoint })
  t.match(await mia.request('GET', 'rooms/r1'), {
    body: { participants: [{}, {}, {}, { participantId: joined.id, role: 'moderator' }] }
  })
  t.match(
    await mia.post('rooms/r2/participants'),
    { participants: [{ role: 'listener' }] },
    'also in a room that the user creates'
  )
})

flow('when a token lists grants, exactly these are allowed', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const mute = await scenario.addClient('mute', 'kiosk', { rooms: { r1: { grants: ['join'] } } })
  const bot = await scenario.addClient('bot', 'kiosk', { rooms: { r1: { role: 'listener', grants: ['moderate'] } } })
  const joined = await join(mute, 'r1')
  for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
  await mute.expectRefusal('not_permitted', 'rooms/r1/offer', { to: alice.id, sdp: sdp('muteM') })
  await mute.expectRefusal('not_permitted', 'rooms/r1/candidates', { candidates: candidates(1) })
  await bot.expectRefusal('not_permitted', 'rooms/r1/participants')
  t.match(await bot.request('DELETE', `rooms/r1/participants/${joined.id}`), { status: 204 }, 'from outside')
  for (const other of [alice, bob, carol]) {
    t.match(await other.who.expectEvent('room.participant_left'), { reason: 'removed', by: bot.endpoint })
  }
  await mute.expectEvent('room.participant_left')
})

flow('when a moderator bans a host, the ban is refused and nothing is written', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.request('PATCH', `rooms/r1/participants/${bob.id}`, { role: 'moderator' })
  for (const other of [bob, carol]) await other.who.expectEvent('room.participant_updated')
  const path = `rooms/r1/participants/${alice.id}?ban=true`
  t.match(await bob.who.request('DELETE', path), { status: 403, body: { code: 'not_permitted' } })
  t.match(await alice.who.request('GET', 'rooms/r1/bans'), { body: { bans: [] } })
  const tablet = await scenario.addClient('alice', 'tablet', { node: scenario.lastNode })
  await join(tablet, 'r1')
  for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
  await alice.who.expectEvent('room.joined')
})

flow('when the creator of a room is banned, every change by them is refused', async (t, scenario) => {
  const [alice, bob] = [
    await join(await scenario.addClient('alice', 'phone'), 'r1'),
    await join(await scenario.addClient('bob', 'laptop', { node: scenario.lastNode }), 'r1')
  ]
  await alice.who.expectEvent('room.participant_joined')
  await alice.who.request('PATCH', `rooms/r1/participants/${bob.id}`, { role: 'host' })
  await bob.who.expectEvent('room.participant_updated')
  t.match(await bob.who.request('DELETE', `rooms/r1/participants/${alice.id}?ban=true`), { status: 204 })
  await alice.who.expectEvent('room.participant_left')
  const banned = { status: 403, body: { code: 'banned' } }
  t.match(await alice.who.request('DELETE', `rooms/r1/bans/${scenario.toPath('alice')}`), banned)
  t.match(await alice.who.request('GET', 'rooms/r1/bans'), banned)
  t.match(await alice.who.request('PUT', 'rooms/r1', { locked: false }), banned)
  t.match(await alice.who.request('DELETE', `rooms/r1/participants/${bob.id}`), banned)
  t.match(await alice.who.request('DELETE', 'rooms/r1'), banned)
  t.match(await bob.who.request('DELETE', `rooms/r1/bans/${scenario.toPath('alice')}`), { status: 204 })
  await alice.who.post('rooms/r1/participants')
  await bob.who.expectEvent('room.participant_joined')
})

flow('when a banned user tries to create the closed room anew, it is refused', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
  for (const other of [bob, carol]) await other.who.expectEvent('room.participant_left')
  await carol.who.request('DELETE', `rooms/r1/participants/${carol.id}`)
  await alice.who.expectEvent('room.participant_left')
  await alice.who.request('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.advance(40_000)
  t.match(await alice.who.request('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
  t.match(await bob.who.request('GET', 'rooms/r1'), { body: { code: 'banned' } })
  t.match(await bob.who.request('PUT', 'rooms/r1', {}), { status: 403, body: { code: 'banned' } })
  await bob.who.expectRefusal('banned', 'rooms/r1/participants')
})

flow('when a join is refused, no membership is kept', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.request('PUT', 'rooms/r1', { locked: true })
  for (const other of [bob, carol]) await other.who.expectEvent('room.updated')
  const eve = await scenario.addClient('eve', 'phone', { rooms: { r1: {}, r2: { grants: [] } } })
  await eve.expectRefusal('room_locked', 'rooms/r1/participants')
  await eve.expectRefusal('not_permitted', 'rooms/r2/participants')
  t.same(await scenario.store.memberships.list(scenario.toWire('eve')), [])
})

flow('when a device joins twice and leaves, its membership is removed', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const again = await join(bob.who, 'r1')
  t.equal(again.id, bob.id)
  t.match(await scenario.store.memberships.list(scenario.toWire('bob')), [{ participantId: bob.id }])
  await bob.who.request('DELETE', `rooms/r1/participants/${bob.id}`)
  for (const other of [alice, carol]) await other.who.expectEvent('room.participant_left')
  t.same(await scenario.store.memberships.list(scenario.toWire('bob')), [])
})

flow('metadata is refused when it has too many members, bytes or levels', async (t, scenario) => {
  const [alice] = await meet(scenario)
  const fields = (count: number, size: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, 'x'.repeat(size)]))
  const nested = (levels: number): object => (levels === 1 ? {} : { inner: nested(levels - 1) })
  const eve = await scenario.addClient('eve', 'phone')
  for (const metadata of [fields(500, 1), fields(1, 4096), nested(17)]) {
    await eve.expectRefusal('too_large', 'rooms/r1/participants', { metadata })
    t.match(await alice.who.request('PATCH', `rooms/r1/participants/${alice.id}`, { metadata }), { status: 413 })
    t.match(await alice.who.request('PUT', 'rooms/r1', { metadata }), { status: 413 })
  }
})

flow(
  'when bans are repeated, each is charged; leaving is never charged',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    await scenario.advance(1_000)
    const ban = () => alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
    for (let n = 0; n < 5; n++) t.equal((await ban()).status, 204)
    t.match(await ban(), { status: 429, body: { code: 'rate_limited' } })
    t.equal((await alice.who.request('DELETE', `rooms/r1/participants/${alice.id}`)).status, 204)
    await bob.who.expectEvent('room.participant_left')
    await carol.who.expectEvents('room.participant_left', 'room.participant_left')
  },
  { env: { RATE_LIMIT_SIGNALS: '5' } }
)

flow(
  'when a room is created in mode sfu without a media service, it is refused and not created',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const refused = { status: 409, body: { code: 'no_media_service' } }
    t.match(await alice.request('PUT', 'rooms/r1', { mode: 'sfu' }), refused)
    const bob = await scenario.addClient('bob', 'laptop', { rooms: { r1: { role: 'host', mode: 'sfu' } } })
    t.match(await bob.request('POST', 'rooms/r1/participants'), refused)
    t.match(await alice.request('GET', 'rooms/r1'), { status: 404, body: { code: 'room_not_found' } })
  }
)

flow('when a room is created with an unknown mode, it is refused and not created', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const issues = [{ path: 'body/mode' }]
  t.match(await alice.request('PUT', 'rooms/r1', { mode: 'mcu' }), {
    status: 400,
    body: { code: 'invalid_request', issues }
  })
  t.match(await alice.request('GET', 'rooms/r1'), { status: 404, body: { code: 'room_not_found' } })
})
