// What an operator sees of rooms, and how an operator closes one or removes a participant.
import type { Room } from '../../src/schemas/room.js'
import { listAll, operate, WITH_ADMIN } from '../helpers/operator.js'
import { join, meet } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'

const env = WITH_ADMIN
const RECORDER = { r1: { grants: ['join', 'subscribe', 'hidden'] as ('join' | 'subscribe' | 'hidden')[] } }

const close = (scenario: Scenario, room = 'r1') =>
  operate(scenario, 'DELETE', `rooms/${room}`, { node: scenario.lastNode })
const remove = (scenario: Scenario, id: string, query = '') =>
  operate(scenario, 'DELETE', `rooms/r1/participants/${id}${query}`, { node: scenario.lastNode })

flow(
  'the open rooms of all nodes are listed in pages of any size, from any node, until they close',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    for (const room of ['r1', 'r2', 'r3']) await join(alice, room)
    for (const room of ['r4', 'r5']) t.equal((await bob.request('PUT', `rooms/${room}`, {})).status, 201)
    const names = async (limit: number) =>
      (await listAll<Room>(scenario, 'rooms', limit)).map(({ roomId }) => roomId).filter(id => /^r\d$/.test(id))
    for (const limit of [1, 2, 200]) t.same((await names(limit)).sort(), ['r1', 'r2', 'r3', 'r4', 'r5'])
    const rooms = await listAll<Room>(scenario, 'rooms', 200)
    t.match(
      rooms.find(({ roomId }) => roomId === 'r1'),
      { participantCount: 1, createdBy: 'alice', locked: false }
    )
    t.equal((await alice.request('DELETE', 'rooms/r2')).status, 204)
    t.same((await names(2)).sort(), ['r1', 'r3', 'r4', 'r5'])
    t.match(await operate(scenario, 'GET', 'rooms?limit=x'), { status: 400, body: { code: 'invalid_request' } })
  },
  { env }
)

flow(
  'an operator sees a locked room with its hidden participants',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const recorder = await join(await scenario.addClient('recorder', 'box', { rooms: RECORDER }), 'r1')
    t.equal((await alice.who.request('PUT', 'rooms/r1', { locked: true })).status, 200)
    const { body } = await operate(scenario, 'GET', 'rooms/r1', { node: scenario.lastNode })
    t.match(body, {
      room: { roomId: 'r1', locked: true, participantCount: 3 },
      participants: [alice, bob, carol].map(({ id, who }) => ({ participantId: id, ...who.endpoint })),
      hidden: [{ participantId: recorder.id, user: 'recorder' }]
    })
    for (const { who } of [bob, carol, recorder]) await who.expectEvent('room.updated')
    t.match(await operate(scenario, 'GET', 'rooms/none'), { status: 404, body: { code: 'room_not_found' } })
  },
  { env }
)

flow(
  'a room that an operator closes is over for everyone in it, and closing it again changes nothing',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const recorder = await join(await scenario.addClient('recorder', 'box', { rooms: RECORDER }), 'r1')
    const dave = await scenario.addClient('dave', 'phone')
    await alice.who.post('rooms/r1/invitations', { users: [scenario.toWire('dave')] })
    await dave.expectEvent('room.invitation')
    const replies = await Promise.all([close(scenario), close(scenario)])
    t.same(
      replies.map(({ status }) => status),
      [204, 204]
    )
    for (const { who } of [alice, bob, carol, recorder])
      t.match(await who.expectEvent('room.closed'), { reason: 'closed', by: null })
    t.match(await dave.expectEvent('room.invitation_ended'), { reason: 'closed', by: null })
    await alice.who.expectEvent('room.invitation_ended')
    t.equal((await close(scenario)).status, 204)
    t.match(await operate(scenario, 'GET', 'rooms/r1'), { status: 409, body: { code: 'room_closed' } })
    t.match(await close(scenario, 'none'), { status: 404, body: { code: 'room_not_found' } })
    await scenario.cluster.settle()
    t.same(await scenario.store.memberships.list(scenario.toWire('bob')), [])
  },
  { env }
)

flow(
  'a participant whom an operator removes is out, whatever its role, and may join again',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const replies = await Promise.all([remove(scenario, alice.id), remove(scenario, alice.id)])
    t.same(
      replies.map(({ status }) => status),
      [204, 204]
    )
    for (const { who } of [alice, bob, carol])
      t.match(await who.expectEvent('room.participant_left'), { participantId: alice.id, reason: 'removed', by: null })
    t.same(await scenario.store.memberships.list(scenario.toWire('alice')), [])
    const again = await join(alice.who, 'r1')
    for (const { who } of [bob, carol]) await who.expectEvent('room.participant_joined')
    t.equal((await remove(scenario, alice.id)).status, 204, 'the participation that has ended')
    t.match(
      (await operate(scenario, 'GET', 'rooms/r1')).body.participants,
      { length: 3 },
      'not the one that began since'
    )
    for (const id of ['none', `${again.id}x`])
      t.match(await remove(scenario, id), { status: 404, body: { code: 'participant_not_found' } })
    t.match(await operate(scenario, 'DELETE', 'rooms/none/participants/x'), { body: { code: 'room_not_found' } })
  },
  { env }
)

flow(
  'a hidden participant is removed, and no one else learns it',
  async (t, scenario) => {
    const [, bob] = await meet(scenario)
    const recorder = await join(await scenario.addClient('recorder', 'box', { rooms: RECORDER }), 'r1')
    t.equal((await remove(scenario, recorder.id)).status, 204)
    t.match(await recorder.who.expectEvent('room.participant_left'), { reason: 'removed', by: null })
    t.equal((await remove(scenario, recorder.id)).status, 404, 'of those that were hidden nothing is kept')
    t.match((await operate(scenario, 'GET', 'rooms/r1')).body.hidden, { length: 0 })
    t.match((await bob.who.request('GET', 'rooms/r1')).body.participants, { length: 3 })
  },
  { env }
)

flow(
  'a user whom an operator bans is out with all devices until a moderator lifts the ban, also one who is leaving',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const watch = await join(await scenario.addClient('bob', 'watch'), 'r1')
    for (const { who } of [alice, bob, carol]) await who.expectEvent('room.participant_joined')
    await bob.who.expectEvent('room.joined')
    const replies = await Promise.all([remove(scenario, bob.id, '?ban=true'), remove(scenario, watch.id, '?ban=true')])
    t.same(
      replies.map(({ status }) => status),
      [204, 204]
    )
    for (const { who } of [alice, carol]) await who.expectEvents('room.participant_left', 'room.participant_left')
    for (const { who } of [bob, watch]) {
      t.match(await who.expectEvent('room.participant_left'), { reason: 'removed', by: null })
      t.match(await who.request('POST', 'rooms/r1/participants'), { status: 403, body: { code: 'banned' } })
    }
    t.match((await alice.who.request('GET', 'rooms/r1/bans')).body.bans, [{ user: 'bob', by: null, expiresInMs: null }])
    t.equal((await alice.who.request('DELETE', `rooms/r1/bans/${scenario.toPath('bob')}`)).status, 204)
    await join(bob.who, 'r1')
    await watch.who.expectEvent('room.joined')
    for (const { who } of [alice, carol]) await who.expectEvent('room.participant_joined')

    const [left, banned] = await Promise.all([
      carol.who.request('DELETE', `rooms/r1/participants/${carol.id}`),
      remove(scenario, carol.id, '?ban=true&banForMs=60000')
    ])
    t.match([left.status, banned.status], [/204|403|404/, 204])
    t.match(await carol.who.request('POST', 'rooms/r1/participants'), { status: 403, body: { code: 'banned' } })
    for (const { who } of [alice, bob]) await who.expectEvent('room.participant_left')
    if (left.status !== 204) await carol.who.expectEvent('room.participant_left')
    await scenario.advance(60_000)
    t.match((await alice.who.request('GET', 'rooms/r1/bans')).body.bans, { length: 0 })
  },
  { env }
)

flow(
  'an operator lifts a ban that a moderator or an operator has made, and lifting it again changes nothing',
  async (t, scenario) => {
    const enter = async (user: string, node = 0) =>
      join(await scenario.addClient(user, 'phone', { node, silent: true }), 'r1')
    const [alice, bob, carol] = [await enter('alice'), await enter('bob', scenario.lastNode), await enter('carol')]
    const bans = async () => (await operate(scenario, 'GET', 'rooms/r1/bans', { node: scenario.lastNode })).body.bans
    const lift = (user: string, room = 'r1') =>
      operate(scenario, 'DELETE', `rooms/${room}/bans/${scenario.toPath(user)}`, { node: scenario.lastNode })
    t.equal((await remove(scenario, bob.id, '?ban=true')).status, 204)
    t.equal((await alice.who.request('DELETE', `rooms/r1/participants/${carol.id}?ban=true`)).status, 204)
    const byUser = (await bans()) as { user: string }[]
    t.match(
      byUser.toSorted((one, other) => one.user.localeCompare(other.user)),
      [
        { user: 'bob', by: null, expiresInMs: null },
        { user: 'carol', by: { user: 'alice' } }
      ]
    )
    const replies = await Promise.all([lift('bob'), lift('bob'), lift('carol'), lift('dave')])
    t.same(
      replies.map(({ status }) => status),
      [204, 204, 204, 204]
    )
    t.same(await bans(), [])
    for (const { who } of [bob, carol]) await join(who, 'r1')
    for (const path of ['rooms/none/bans', 'rooms/none/bans/x'])
      t.match(await operate(scenario, path.endsWith('x') ? 'DELETE' : 'GET', path), {
        body: { code: 'room_not_found' }
      })
    t.match(await operate(scenario, 'DELETE', 'rooms/r1/bans/..'), { status: 404, body: { code: 'not_found' } })
    t.equal((await close(scenario)).status, 204)
    t.match(await lift('bob'), { status: 409, body: { code: 'room_closed' } })
  },
  { env }
)
