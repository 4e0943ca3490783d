// Bans, assigned roles, and who may see a room, through the API.
import assert from 'node:assert/strict'
import { PART } from '../../src/domain/room/state.js'
import { LASTING_MAX } from '../../src/store/rooms.js'
import { type JoinedClient, join, meet } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

/** Alice creates the room, bob and carol join. None of them has a stream. */
async function meetQuietly(scenario: Scenario): Promise<[alice: JoinedClient, bob: JoinedClient, carol: JoinedClient]> {
  const enter = async (name: string, node: number) =>
    join(await scenario.addClient(name, 'phone', { node, silent: true }), 'r1')
  return [await enter('alice', 0), await enter('bob', scenario.lastNode), await enter('carol', scenario.lastNode)]
}

const BANNED = { status: 403, body: { code: 'banned' } }

flow(
  'when a user is banned, all their devices are removed in one commit and every room operation is refused',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const phone = await scenario.addClient('bob', 'phone')
    await join(phone, 'r1')
    for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
    await bob.who.expectEvent('room.joined')
    const version = async () => (await scenario.store.rooms.load(scenario.toWire('r1'), []))?.version ?? 0
    const before = await version()
    t.match(await alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`), { status: 204 })
    t.equal(await version(), before + 1, 'one commit')
    await carol.who.expectEvents('room.participant_left', 'room.participant_left')
    for (const device of [bob.who, phone])
      t.match(await device.expectEvent('room.participant_left'), { reason: 'removed' })
    const offer = { to: alice.id, sdp: sdp('bobB') }
    for (const device of [bob.who, phone]) {
      t.match(await device.request('POST', 'rooms/r1/participants'), BANNED)
      t.match(await device.request('POST', 'rooms/r1/messages', { content: 'x' }), BANNED)
      t.match(await device.request('POST', 'rooms/r1/typing', { typing: true }), BANNED)
      t.match(await device.request('POST', 'rooms/r1/offer', offer), BANNED)
      t.match(await device.request('POST', 'rooms/r1/candidates', { candidates: candidates(1) }), BANNED)
      t.match(await device.request('GET', 'rooms/r1'), BANNED)
      t.match(await device.request('GET', 'rooms/r1/messages'), BANNED)
      t.match(await device.request('PUT', 'rooms/r1', {}), BANNED)
    }
    t.same(await scenario.store.memberships.list(scenario.toWire('bob')), [])
  }
)

flow('a ban succeeds when the participant leaves at the same moment or has just left', async (t, scenario) => {
  const [alice, bob, carol] = await meetQuietly(scenario)
  const tablet = await scenario.addClient('bob', 'tablet', { silent: true })
  await join(tablet, 'r1')
  const [, ban] = await Promise.all([
    bob.who.request('DELETE', `rooms/r1/participants/${bob.id}`),
    alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
  ])
  t.equal(ban.status, 204)
  await tablet.expectRefusal('banned', 'rooms/r1/messages', { content: 'x' })
  const seen = await alice.who.request('GET', 'rooms/r1')
  t.match(seen.body.participants, { length: 2 }, 'the other device of the user is removed too')

  await carol.who.request('DELETE', `rooms/r1/participants/${carol.id}`)
  t.match(await alice.who.request('DELETE', `rooms/r1/participants/${carol.id}?ban=true`), { status: 204 })
  await carol.who.expectRefusal('banned', 'rooms/r1/participants')
  t.match(await alice.who.request('DELETE', 'rooms/r1/participants/nobody?ban=true'), { status: 404 })
})

/** Writes bans of `count` users, straight to the store. Repeated, it replaces them. */
async function writeBans(scenario: Scenario, count: number, until: number | null): Promise<void> {
  const now = scenario.now()
  const ban = JSON.stringify({ by: { user: 'alice', device: 'phone' }, at: now, until })
  const { status } = await scenario.store.rooms.commit(scenario.toWire('r1'), {
    ...{ reads: {}, writes: Object.fromEntries(Array.from({ length: count }, (_, n) => [PART.ban(`user${n}`), ban])) },
    ...{ participantsMax: 9, items: [], tag: 'tag', node: 'node', now },
    ...{ deadlineAt: null, emptyDeadlineAt: now, expireInMs: null }
  })
  assert.equal(status, 'ok')
}

flow(
  'when the list of bans is full, a new ban replaces lapsed ones, and is refused without any',
  async (t, scenario) => {
    const [alice, bob] = await meetQuietly(scenario)
    const ban = () => alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
    await writeBans(scenario, LASTING_MAX, null)
    t.match(await ban(), { status: 409, body: { code: 'too_many_bans' } })
    t.match(await bob.who.request('GET', 'rooms/r1'), { body: { participants: { length: 3 } } }, 'nothing was changed')

    await writeBans(scenario, LASTING_MAX - 1, scenario.now())
    t.match(await ban(), { status: 204 })
    const { body } = await alice.who.request('GET', 'rooms/r1/bans')
    const users = (body.bans as { user: string }[]).map(({ user }) => user)
    t.same(users.sort(), ['bob', `user${LASTING_MAX - 1}`])
    const kept = await scenario.store.rooms.load(scenario.toWire('r1'), [PART.ban('')])
    t.equal(kept?.fields.size, 2, 'the lapsed ones were deleted')
  }
)

flow('when a room is created anew, its bans are still in force', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.request('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
  for (const other of [bob, carol]) await other.who.expectEvent('room.participant_left')
  await carol.who.request('DELETE', `rooms/r1/participants/${carol.id}`)
  await alice.who.expectEvent('room.participant_left')
  await alice.who.request('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.advance(40_000)
  t.match(await carol.who.post('rooms/r1/participants'), { room: { createdBy: 'carol' } })
  await bob.who.expectRefusal('banned', 'rooms/r1/participants')
  t.match(await carol.who.request('GET', 'rooms/r1/bans'), { body: { bans: [{ user: 'bob', expiresInMs: null }] } })
  t.match(await carol.who.request('DELETE', `rooms/r1/bans/${scenario.toPath('bob')}`), { status: 204 })
  await bob.who.post('rooms/r1/participants')
  await carol.who.expectEvent('room.participant_joined')
})

flow(
  'when a user has no part in a room, every operation but join answers as for a room that does not exist',
  async (t, scenario) => {
    const [alice] = await meetQuietly(scenario)
    await alice.who.post('rooms/r1/messages', { content: 'secret' })
    const eve = await scenario.addClient('eve', 'phone', { silent: true })
    const paths: [Parameters<TestClient['request']>[0], string, object?][] = [
      ['GET', ''],
      ['GET', '/messages'],
      ['GET', '/bans'],
      ['DELETE', ''],
      ['POST', '/messages', { content: 'x' }],
      ['POST', '/typing', { typing: true }],
      ['POST', '/offer', { to: alice.id, sdp: sdp('eveE') }],
      ['POST', '/candidates', { candidates: candidates(1) }],
      ['POST', '/invitations', { users: ['zoe'] }],
      ['DELETE', '/invitations/i1'],
      ['PATCH', `/participants/${alice.id}`, { role: 'listener' }],
      ['DELETE', `/participants/${alice.id}`],
      ['DELETE', '/participants/nobody'],
      ['DELETE', `/bans/${scenario.toPath('bob')}`]
    ]
    for (const [method, path, body] of paths) {
      const [there, absent] = [
        await eve.request(method, `rooms/r1${path}`, body),
        await eve.request(method, `rooms/r9${path}`, body)
      ]
      const shown = ({ status, body: { instance: _, detail, ...rest } }: typeof there) => ({ status, rest, detail })
      t.same(shown(there), shown(absent), `${method} ${path}`)
      t.match(there.body, { code: 'room_not_found' }, `${method} ${path}`)
    }
    t.match(await eve.request('PUT', 'rooms/r1', {}), { body: { code: 'room_not_found' } })
  }
)

flow('when a room is locked, users with a claim but without moderate can no longer read it', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const enter = (name: string, claim: object) =>
    scenario.addClient(name, 'desk', { rooms: { r1: claim }, silent: true })
  const [guest, auditor] = [await enter('guest', {}), await enter('auditor', { role: 'moderator' })]
  const dave = await scenario.addClient('dave', 'phone')
  await alice.who.post('rooms/r1/invitations', { users: [scenario.toWire('dave')] })
  await dave.expectEvent('room.invitation')
  for (const who of [guest, auditor, dave]) {
    t.match(await who.request('GET', 'rooms/r1'), { status: 200, body: { participants: { length: 3 } } }, who.user)
    t.match(await who.request('GET', 'rooms/r1/messages'), { status: 200 }, who.user)
  }
  await alice.who.request('PUT', 'rooms/r1', { locked: true })
  for (const other of [bob, carol]) await other.who.expectEvent('room.updated')
  t.match(await guest.request('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
  t.match(await guest.request('GET', 'rooms/r1/messages'), { body: { code: 'room_not_found' } })
  for (const who of [auditor, dave]) t.match(await who.request('GET', 'rooms/r1'), { status: 200 }, who.user)
})

flow(
  'when a role was assigned to a user, all their devices have it, also after they join again',
  async (t, scenario) => {
    const [alice, bob, carol] = await meetQuietly(scenario)
    await alice.who.request('PATCH', `rooms/r1/participants/${bob.id}`, { role: 'host' })
    t.match(await bob.who.request('PATCH', `rooms/r1/participants/${alice.id}`, { role: 'listener' }), { status: 200 })
    await alice.who.request('DELETE', `rooms/r1/participants/${alice.id}`)
    t.match(
      await alice.who.request('PUT', 'rooms/r1', { locked: true }),
      { body: { code: 'room_not_found' } },
      'from outside'
    )
    const roleOf = (participants: unknown, device: string) => {
      const found = (participants as { user: string; device: string; role: string }[]).find(
        each => each.user === 'alice' && each.device === device
      )
      assert.ok(found)
      return found.role
    }
    t.equal(roleOf((await alice.who.post('rooms/r1/participants')).participants, 'phone'), 'listener')
    const tablet = await scenario.addClient('alice', 'tablet', { silent: true })
    const { participants, participantId } = await tablet.post('rooms/r1/participants')
    t.equal(roleOf(participants, 'tablet'), 'listener')
    t.match(await bob.who.request('PATCH', `rooms/r1/participants/${participantId}`, { role: 'moderator' }), {
      status: 200
    })
    const now = (await carol.who.request('GET', 'rooms/r1')).body.participants
    t.same([roleOf(now, 'phone'), roleOf(now, 'tablet')], ['moderator', 'moderator'])
  }
)

flow('when a room is for members only, users without a role or an invitation cannot join', async (t, scenario) => {
  const [a, bob] = await scenario.addAliceAndBob()
  t.match(await a.request('PUT', 'rooms/r1', { defaultRole: 'none' }), {
    status: 201,
    body: { room: { defaultRole: 'none' } }
  })
  await join(a, 'r1')
  await bob.expectRefusal('room_not_found', 'rooms/r1/participants')
  await a.post('rooms/r1/invitations', { users: [scenario.toWire('bob')] })
  await bob.expectEvent('room.invitation')
  t.match(await bob.post('rooms/r1/participants'), { participants: [{ role: 'host' }, { role: 'speaker' }] })
  await a.expectEvents('room.participant_joined', 'room.invitation_ended')
  const mia = await scenario.addClient('mia', 'desk', { rooms: { r1: { role: 'moderator' } }, silent: true })
  t.match(await mia.post('rooms/r1/participants'), { participants: [{}, {}, { role: 'moderator' }] })
  for (const other of [a, bob]) await other.expectEvent('room.participant_joined')
})
