// Bans, roles, and what a room shows to whom, seen from outside.
import assert from 'node:assert/strict'
import { join, meet, type Seat } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

/** Alice makes the room, bob and carol follow; none of them has a stream. */
async function meetQuietly(scenario: Scenario): Promise<[alice: Seat, bob: Seat, carol: Seat]> {
  const enter = async (name: string, node: number) =>
    join(await scenario.enter(name, 'phone', { node, silent: true }), 'r1')
  return [await enter('alice', 0), await enter('bob', scenario.far), await enter('carol', scenario.far)]
}

const BANNED = { status: 403, body: { code: 'banned' } }

flow('a ban puts out every device of its user at once, and holds in every path', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const phone = await scenario.enter('bob', 'phone')
  await join(phone, 'r1')
  for (const other of [alice, bob, carol]) await other.who.hears('room.participant_joined')
  await bob.who.hears('room.joined')
  const version = async () => (await scenario.store.rooms.load(scenario.marked('r1'), []))?.version ?? 0
  const before = await version()
  t.match(await alice.who.ask('DELETE', `rooms/r1/participants/${bob.id}?ban=true`), { status: 204 })
  t.equal(await version(), before + 1, 'one commit')
  await carol.who.hearsAll('room.participant_left', 'room.participant_left')
  for (const his of [bob.who, phone]) t.match(await his.hears('room.participant_left'), { reason: 'removed' })
  const offer = { to: alice.id, sdp: sdp('bobB') }
  for (const his of [bob.who, phone]) {
    t.match(await his.ask('POST', 'rooms/r1/participants'), BANNED)
    t.match(await his.ask('POST', 'rooms/r1/messages', { content: 'x' }), BANNED)
    t.match(await his.ask('POST', 'rooms/r1/typing', { typing: true }), BANNED)
    t.match(await his.ask('POST', 'rooms/r1/offer', offer), BANNED)
    t.match(await his.ask('POST', 'rooms/r1/candidates', { candidates: candidates(1) }), BANNED)
    t.match(await his.ask('GET', 'rooms/r1'), BANNED)
    t.match(await his.ask('GET', 'rooms/r1/messages'), BANNED)
    t.match(await his.ask('PUT', 'rooms/r1', {}), BANNED)
  }
  t.same(await scenario.store.memberships.list(scenario.marked('bob')), [])
})

flow('a moderator bans a participant who leaves at that moment, or has just left', async (t, scenario) => {
  const [alice, bob, carol] = await meetQuietly(scenario)
  const tablet = await scenario.enter('bob', 'tablet', { silent: true })
  await join(tablet, 'r1')
  const [, ban] = await Promise.all([
    bob.who.ask('DELETE', `rooms/r1/participants/${bob.id}`),
    alice.who.ask('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
  ])
  t.equal(ban.status, 204)
  await tablet.isRefused('banned', 'rooms/r1/messages', { content: 'x' })
  const seen = await alice.who.ask('GET', 'rooms/r1')
  t.match(seen.body.participants, { length: 2 }, 'the other device is out too')

  await carol.who.ask('DELETE', `rooms/r1/participants/${carol.id}`)
  t.match(await alice.who.ask('DELETE', `rooms/r1/participants/${carol.id}?ban=true`), { status: 204 })
  await carol.who.isRefused('banned', 'rooms/r1/participants')
  t.match(await alice.who.ask('DELETE', 'rooms/r1/participants/nobody?ban=true'), { status: 404 })
})

flow('a ban is there when the room is made anew, and the banned user is no host of it', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.ask('DELETE', `rooms/r1/participants/${bob.id}?ban=true`)
  for (const other of [bob, carol]) await other.who.hears('room.participant_left')
  await carol.who.ask('DELETE', `rooms/r1/participants/${carol.id}`)
  await alice.who.hears('room.participant_left')
  await alice.who.ask('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.pass(40_000)
  t.match(await carol.who.does('rooms/r1/participants'), { room: { createdBy: 'carol' } })
  await bob.who.isRefused('banned', 'rooms/r1/participants')
  t.match(await carol.who.ask('GET', 'rooms/r1/bans'), { body: { bans: [{ user: 'bob', expiresInMs: null }] } })
  t.match(await carol.who.ask('DELETE', `rooms/r1/bans/${scenario.marked('bob')}`), { status: 204 })
  await bob.who.does('rooms/r1/participants')
  await carol.who.hears('room.participant_joined')
})

flow('to a stranger a room is not there, in any path but joining', async (t, scenario) => {
  const [alice] = await meetQuietly(scenario)
  await alice.who.does('rooms/r1/messages', { content: 'secret' })
  const eve = await scenario.enter('eve', 'phone', { silent: true })
  const paths: [Parameters<TestClient['ask']>[0], string, object?][] = [
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
    ['DELETE', `/bans/${scenario.marked('bob')}`]
  ]
  for (const [method, path, body] of paths) {
    const [there, absent] = [
      await eve.ask(method, `rooms/r1${path}`, body),
      await eve.ask(method, `rooms/r9${path}`, body)
    ]
    const shown = ({ status, body: { instance: _, detail, ...rest } }: typeof there) => ({ status, rest, detail })
    t.same(shown(there), shown(absent), `${method} ${path}`)
    t.match(there.body, { code: 'room_not_found' }, `${method} ${path}`)
  }
  t.match(await eve.ask('PUT', 'rooms/r1', {}), { body: { code: 'room_not_found' } })
})

flow('an explicit claim or an invitation shows the room, a lock hides it again', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const enter = (name: string, claim: object) => scenario.enter(name, 'desk', { rooms: { r1: claim }, silent: true })
  const [guest, auditor] = [await enter('guest', {}), await enter('auditor', { role: 'moderator' })]
  const dave = await scenario.enter('dave', 'phone')
  await alice.who.does('rooms/r1/invitations', { users: [scenario.marked('dave')] })
  await dave.hears('room.invitation')
  for (const who of [guest, auditor, dave]) {
    t.match(await who.ask('GET', 'rooms/r1'), { status: 200, body: { participants: { length: 3 } } }, who.user)
    t.match(await who.ask('GET', 'rooms/r1/messages'), { status: 200 }, who.user)
  }
  await alice.who.ask('PUT', 'rooms/r1', { locked: true })
  for (const other of [bob, carol]) await other.who.hears('room.updated')
  t.match(await guest.ask('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
  t.match(await guest.ask('GET', 'rooms/r1/messages'), { body: { code: 'room_not_found' } })
  for (const who of [auditor, dave]) t.match(await who.ask('GET', 'rooms/r1'), { status: 200 }, who.user)
})

flow('a role that was given is the user’s, on all devices and when they come back', async (t, scenario) => {
  const [alice, bob, carol] = await meetQuietly(scenario)
  await alice.who.ask('PATCH', `rooms/r1/participants/${bob.id}`, { role: 'host' })
  t.match(await bob.who.ask('PATCH', `rooms/r1/participants/${alice.id}`, { role: 'listener' }), { status: 200 })
  await alice.who.ask('DELETE', `rooms/r1/participants/${alice.id}`)
  t.match(
    await alice.who.ask('PUT', 'rooms/r1', { locked: true }),
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
  t.equal(roleOf((await alice.who.does('rooms/r1/participants')).participants, 'phone'), 'listener')
  const tablet = await scenario.enter('alice', 'tablet', { silent: true })
  const { participants, participantId } = await tablet.does('rooms/r1/participants')
  t.equal(roleOf(participants, 'tablet'), 'listener')
  t.match(await bob.who.ask('PATCH', `rooms/r1/participants/${participantId}`, { role: 'moderator' }), { status: 200 })
  const now = (await carol.who.ask('GET', 'rooms/r1')).body.participants
  t.same([roleOf(now, 'phone'), roleOf(now, 'tablet')], ['moderator', 'moderator'])
})

flow('a room for members only lets in who has a role or an invitation', async (t, scenario) => {
  const [a, bob] = await scenario.enterBoth()
  t.match(await a.ask('PUT', 'rooms/r1', { defaultRole: 'none' }), {
    status: 201,
    body: { room: { defaultRole: 'none' } }
  })
  await join(a, 'r1')
  await bob.isRefused('room_not_found', 'rooms/r1/participants')
  await a.does('rooms/r1/invitations', { users: [scenario.marked('bob')] })
  await bob.hears('room.invitation')
  t.match(await bob.does('rooms/r1/participants'), { participants: [{ role: 'host' }, { role: 'speaker' }] })
  await a.hearsAll('room.participant_joined', 'room.invitation_ended')
  const mia = await scenario.enter('mia', 'desk', { rooms: { r1: { role: 'moderator' } }, silent: true })
  t.match(await mia.does('rooms/r1/participants'), { participants: [{}, {}, { role: 'moderator' }] })
  for (const other of [a, bob]) await other.hears('room.participant_joined')
})
