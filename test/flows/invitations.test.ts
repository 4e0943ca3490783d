// Invitations to a room: which devices ring, who answers, and which events the others receive.
import * as rules from '../../src/domain/room/invitation.js'
import { createIds } from '../../src/ids.js'
import type { Context } from '../../src/services/context.js'
import { changeRoom } from '../../src/services/room/update-room.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { ReceivedEvent, TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

interface Sent {
  readonly invitationId: string
}

async function invite(who: TestClient, scenario: Scenario, users: string[], more = {}) {
  const body = { users: users.map(user => scenario.toWire(user)), ...more }
  return who.request('POST', 'rooms/r1/invitations', body)
}

/** Alice is in the room and invites bob, who has a laptop and a phone. */
async function ring(scenario: Scenario, more = {}) {
  const [alice, laptop] = await scenario.addAliceAndBob()
  const phone = await scenario.addClient('bob', 'phone')
  await alice.post('rooms/r1/participants')
  const { body } = await invite(alice, scenario, ['bob'], more)
  const { invitationId } = (body.invitations as Sent[])[0] as Sent
  for (const bobs of [laptop, phone]) await bobs.expectEvent('room.invitation')
  return { alice, laptop, phone, invitationId, path: `rooms/r1/invitations/${invitationId}` }
}

flow(
  'when one device accepts an invitation, the other devices and the inviter receive its end',
  async (t, scenario) => {
    const [alice, laptop] = await scenario.addAliceAndBob()
    const phone = await scenario.addClient('bob', 'phone')
    const { participantId } = await alice.post('rooms/r1/participants')
    const metadata = { topic: 'lunch' }
    const { status, body } = await invite(alice, scenario, ['bob'], { metadata, ringTimeoutMs: 20_000 })
    t.match(
      [status, body],
      [201, { invitations: [{ user: 'bob', state: 'ringing', delivery: { online: 2, queued: 0 } }], refused: [] }]
    )
    const { invitationId } = (body.invitations as Sent[])[0] as Sent
    const from = { ...alice.endpoint, participantId }
    const invitation = {
      roomId: 'r1',
      version: 2,
      invitationId,
      from,
      metadata,
      room: { roomId: 'r1' },
      expiresInMs: 20_000
    }
    for (const bobs of [laptop, phone]) t.match(await bobs.expectEvent('room.invitation'), invitation)

    const path = `rooms/r1/invitations/${invitationId}`
    const accepted = { invitationId, state: 'accepted', by: laptop.endpoint, expiresInMs: 0 }
    t.match(await laptop.post(`${path}/accept`), { invitation: accepted })
    const ended = { invitationId, user: 'bob', by: laptop.endpoint }
    t.match(await alice.expectEvent('room.invitation_ended'), { ...ended, reason: 'accepted' })
    t.match(await phone.expectEvent('room.invitation_ended'), { ...ended, reason: 'accepted_elsewhere' })
    t.match(await laptop.post(`${path}/accept`), { invitation: accepted }, 'a repeat returns the same result')
    t.match(await phone.expectRefusal('invitation_ended', `${path}/accept`), { currentState: 'accepted' })
    t.match(await phone.expectRefusal('invitation_ended', `${path}/decline`), { currentState: 'accepted' })
    await scenario.advance(30_000)
  }
)

flow('when two devices answer at the same moment, one wins', async (t, scenario) => {
  const { alice, laptop, phone, path } = await ring(scenario)
  const answers = await Promise.all([
    laptop.request('POST', `${path}/accept`),
    phone.request('POST', `${path}/decline`)
  ])
  t.same(answers.map(({ status }) => status).sort(), [200, 409])
  const isAccepted = answers[0].status === 200
  const { reason } = await alice.expectEvent('room.invitation_ended')
  t.equal(reason, isAccepted ? 'accepted' : 'declined')
  const loser = isAccepted ? phone : laptop
  t.equal((await loser.expectEvent('room.invitation_ended')).reason, `${reason}_elsewhere`)
})

flow(
  'when one device declines, the invitation ends for all, and the inviter does not learn which device it was',
  async (t, scenario) => {
    const { alice, laptop, phone, path } = await ring(scenario)
    t.match(await phone.post(`${path}/decline`), { invitation: { state: 'declined', by: phone.endpoint } })
    t.match(await phone.post(`${path}/decline`), { invitation: { state: 'declined' } })
    t.match(await alice.expectEvent('room.invitation_ended'), { reason: 'declined', by: null })
    t.match(await laptop.expectEvent('room.invitation_ended'), { reason: 'declined_elsewhere' })
    t.match(await invite(alice, scenario, ['bob']), { status: 201 }, 'the user can be invited again')
    for (const bobs of [laptop, phone]) await bobs.expectEvent('room.invitation')
  }
)

flow('when the inviter or a host cancels an invitation, all devices receive its end', async (t, scenario) => {
  const { alice, laptop, phone, path } = await ring(scenario)
  const eve = await scenario.addClient('eve', 'phone')
  t.match(await eve.request('DELETE', path), { body: { code: 'room_not_found' } })
  for (let time = 0; time < 2; time++) t.match(await alice.request('DELETE', path), { status: 204 })
  for (const bobs of [laptop, phone]) {
    t.match(await bobs.expectEvent('room.invitation_ended'), { reason: 'cancelled', by: alice.endpoint })
  }
  await eve.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')
  await invite(eve, scenario, ['bob'], { invitationId: 'of-eve' })
  for (const bobs of [laptop, phone]) await bobs.expectEvent('room.invitation')
  t.match(await alice.request('DELETE', 'rooms/r1/invitations/of-eve'), { status: 204 })
  for (const who of [laptop, phone, eve]) {
    t.match(await who.expectEvent('room.invitation_ended'), { reason: 'cancelled', by: alice.endpoint })
  }
})

flow('when a cancel arrives before its invitation, the invitation rings no device', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  await alice.post('rooms/r1/participants')
  const path = 'rooms/r1/invitations/late'
  t.match(
    await eve.request('DELETE', path),
    { body: { code: 'room_not_found' } },
    'refused for a user who is not in the room'
  )
  for (let time = 0; time < 2; time++) t.match(await alice.request('DELETE', path), { status: 204 })
  const body = { invitations: [{ invitationId: 'late', user: 'bob', state: 'cancelled', by: alice.endpoint }] }
  alice.useNode(scenario.lastNode)
  for (let time = 0; time < 2; time++) {
    t.match(await invite(alice, scenario, ['bob'], { invitationId: 'late' }), { status: 200, body })
  }
  await bob.expectRefusal('invitation_not_found', `${path}/accept`)
  await eve.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')
  t.match(await invite(eve, scenario, ['bob'], { invitationId: 'late' }), { body: { code: 'invitation_id_taken' } })
  for (let round = 0; round < 6; round++) {
    const invitationId = `race${round}`
    await Promise.all([
      invite(alice, scenario, ['bob'], { invitationId }),
      alice.request('DELETE', `rooms/r1/invitations/${invitationId}`)
    ])
    const { invitations } = (await invite(alice, scenario, ['bob'], { invitationId })).body
    t.match(invitations, [{ invitationId, state: 'cancelled' }])
    const types = (await bob.poll()).map(({ type }) => type)
    t.ok(['', 'room.invitation,room.invitation_ended'].includes(String(types)), `received: ${types}`)
  }
})

flow(
  'when an early cancel was kept for long enough, its id can be used for an invitation',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    await alice.post('rooms/r1/participants')
    t.match(await alice.request('DELETE', 'rooms/r1/invitations/late'), { status: 204 })
    await scenario.advance(scenario.config.retentionMs - 1_000)
    const late = { invitationId: 'late' }
    t.match(await invite(alice, scenario, ['bob'], late), { body: { invitations: [{ state: 'cancelled' }] } })
    await scenario.advance(20_000)
    t.match(await invite(alice, scenario, ['bob'], late), { body: { invitations: [{ state: 'ringing' }] } })
  },
  { env: { RETENTION_MS: '20000', PRESENCE_TTL_MS: '20000' } }
)

flow('when no device answers, the invitation expires', async (t, scenario) => {
  const { alice, laptop, phone, path } = await ring(scenario, { ringTimeoutMs: 10_000 })
  await scenario.advance(9_000)
  t.match(await laptop.request('GET', 'snapshot'), { body: { invitations: [{ roomId: 'r1', expiresInMs: 1_000 }] } })
  await scenario.advance(3_000)
  for (const who of [alice, laptop, phone]) {
    t.match(await who.expectEvent('room.invitation_ended'), { reason: 'expired', by: null })
  }
  t.match(await laptop.expectRefusal('invitation_ended', `${path}/accept`), { currentState: 'expired' })
  t.match(await laptop.request('GET', 'snapshot'), { body: { invitations: [] } })
})

flow('when an invited user joins, the invitation is accepted', async (t, scenario) => {
  const { alice, laptop, phone } = await ring(scenario)
  await laptop.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')
  t.match(await alice.expectEvent('room.invitation_ended'), { reason: 'accepted', by: laptop.endpoint })
  await phone.expectEvent('room.joined')
  t.match(await phone.expectEvent('room.invitation_ended'), { reason: 'accepted_elsewhere' })
})

flow(
  'when a device registers while an invitation rings, it is offered once with the time left',
  async (t, scenario) => {
    const { alice, laptop, phone, invitationId, path } = await ring(scenario)
    await scenario.advance(10_000)
    const tablet = await scenario.addClient('bob', 'tablet', { node: scenario.lastNode })
    t.match(await tablet.expectEvent('room.invitation'), { invitationId, from: alice.endpoint, expiresInMs: 20_000 })
    await tablet.openStream()
    const silent = await scenario.addClient('bob', 'watch', { silent: true })
    const { cursor } = (await silent.request('GET', 'snapshot')).body
    silent.startFrom(cursor)
    await silent.openStream()
    t.match(await silent.expectEvent('room.invitation'), { invitationId })
    await silent.post(`${path}/accept`)
    await alice.expectEvent('room.invitation_ended')
    for (const bobs of [laptop, phone, tablet]) {
      t.match(await bobs.expectEvent('room.invitation_ended'), { reason: 'accepted_elsewhere', by: silent.endpoint })
    }
    await scenario.addClient('bob', 'desk')
  }
)

flow(
  'when a room is locked, an invited user may join, but not if it is full or the user is banned',
  async (t, scenario) => {
    const { alice, laptop, phone, path } = await ring(scenario)
    const carol = await scenario.addClient('carol', 'tablet')
    await alice.request('PUT', 'rooms/r1', { locked: true, maxParticipants: 2 })
    await carol.expectRefusal('room_locked', 'rooms/r1/participants')
    await laptop.post(`${path}/accept`)
    await alice.expectEvent('room.invitation_ended')
    await phone.expectEvent('room.invitation_ended')
    const { participantId } = await laptop.post('rooms/r1/participants')
    await alice.expectEvent('room.participant_joined')
    await phone.expectEvent('room.joined')

    t.match(
      await invite(laptop, scenario, ['carol']),
      { body: { code: 'not_permitted' } },
      'inviting to a locked room requires moderate'
    )
    await invite(alice, scenario, ['carol'])
    await carol.expectEvent('room.invitation')
    await carol.expectRefusal('room_full', 'rooms/r1/participants')
    t.match(await alice.request('DELETE', `rooms/r1/participants/${participantId}`), { status: 204 })
    await laptop.expectEvent('room.participant_left')
    await laptop.expectRefusal('room_locked', 'rooms/r1/participants')

    const joined = await carol.post('rooms/r1/participants')
    await alice.expectEvents('room.participant_joined', 'room.invitation_ended')
    await alice.request('DELETE', `rooms/r1/participants/${joined.participantId}?ban=true`)
    await carol.expectEvent('room.participant_left')
    t.match(await invite(alice, scenario, ['carol']), { status: 200, body: { refused: [{ reason: 'banned' }] } })
    await carol.expectRefusal('banned', 'rooms/r1/participants')
  }
)

flow('when a room is closed, its invitations end', async (t, scenario) => {
  const { alice, laptop, phone, path } = await ring(scenario)
  t.match(await alice.request('DELETE', 'rooms/r1'), { status: 204 })
  for (const bobs of [laptop, phone]) {
    t.match(await bobs.expectEvent('room.invitation_ended'), { reason: 'closed', by: alice.endpoint })
  }
  await laptop.expectRefusal('invitation_ended', `${path}/accept`)
})

flow('when an empty room closes, its invitations end', async (t, scenario) => {
  const { alice, laptop, phone } = await ring(scenario, { ringTimeoutMs: 90_000 })
  const { body } = await alice.request('GET', 'snapshot')
  const [{ participantId }] = body.rooms as [{ participantId: string }]
  await alice.request('DELETE', `rooms/r1/participants/${participantId}`)
  await scenario.advance(40_000)
  for (const who of [laptop, phone, alice]) {
    t.match(await who.expectEvent('room.invitation_ended'), { reason: 'closed', by: null })
  }
})

flow('an invitation is not sent twice, to oneself, or to a user in the room', async (t, scenario) => {
  const { alice, laptop, phone, invitationId } = await ring(scenario)
  const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  await carol.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')
  t.match(await invite(carol, scenario, ['bob', 'carol', 'alice']), {
    status: 200,
    body: {
      invitations: [{ invitationId, user: 'bob', state: 'ringing' }],
      refused: [
        { user: 'carol', reason: 'self' },
        { user: 'alice', reason: 'in_room' }
      ]
    }
  })
  t.match(await invite(alice, scenario, ['bob', 'eve'], { invitationId: 'x' }), { body: { code: 'invalid_request' } })
  t.match(await invite(alice, scenario, ['eve'], { invitationId }), { body: { code: 'invitation_id_taken' } })
  const again = { invitationId: 'again' }
  t.match(await invite(alice, scenario, ['eve'], again), { status: 201, body: { invitations: [again] } })
  t.match(await invite(alice, scenario, ['eve'], again), { status: 200, body: { invitations: [again] } })
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  await eve.expectEvent('room.invitation')
  await eve.post('rooms/r1/invitations/again/decline')
  await alice.expectEvent('room.invitation_ended')
  t.match(await invite(alice, scenario, ['eve'], again), {
    status: 200,
    body: { invitations: [{ state: 'declined', by: null }] }
  })
  await laptop.expectRefusal('invitation_not_found', 'rooms/r1/invitations/again/accept')
  const outside = await scenario.addClient('mallory', 'phone')
  t.match(await invite(outside, scenario, ['bob']), { body: { code: 'room_not_found' } })
  await phone.post(`rooms/r1/invitations/${invitationId}/decline`)
  await laptop.expectEvent('room.invitation_ended')
  await alice.expectEvent('room.invitation_ended')
})

flow('when a room is closed while many are invited, no invitation goes on ringing', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('rooms/r1/participants')
  await bob.post('rooms/r1/participants')
  await alice.expectEvent('room.participant_joined')
  const users = Array.from({ length: 8 }, (_, i) => `guest${i}`)
  const inviting = Promise.all(users.map(user => invite(bob, scenario, [user])))
  const closed = alice.request('DELETE', 'rooms/r1')
  t.match(await closed, { status: 204 })
  const rung = (await inviting).filter(({ status }) => status === 201)
  const received: ReceivedEvent[] = []
  await until('bob receives the end of the room', async () => {
    received.push(...(await bob.poll()))
    return received.some(({ type }) => type === 'room.closed')
  })
  const ends = received.filter(({ type, data }) => type === 'room.invitation_ended' && data.reason === 'closed')
  t.equal(ends.length, rung.length, 'each invitation that rang has ended')
})

/** Invites as a node that dies after the commit and before its publication. */
async function inviteAndDie(scenario: Scenario, alice: TestClient, user: string) {
  const { store, config } = scenario
  const clock = { now: () => scenario.now() }
  const parts = { store, config, clock, ids: createIds(), node: 'dead', startFanout: () => undefined }
  const actor = { user: scenario.toWire(alice.user), device: alice.device, expiresAt: null }
  const invitees = [{ user: scenario.toWire(user), invitationId: 'unpublished' }]
  const command = { actor, invitees, metadata: {}, ringMs: 60_000, bounds: { perRoom: 9, perInviter: 9 } }
  const roomId = scenario.toWire('r1')
  await store.invitations.add(scenario.toWire(user), roomId, { until: scenario.now() + 60_000, now: scenario.now() })
  const basis = { roomId, read: rules.partsReadForInvite(command), parts: () => rules.partsOfInvite(command) }
  await changeRoom(parts as unknown as Context, basis, (room, now) => rules.decideInvite(room, command, now))
}

flow(
  'when a node dies before it publishes an invitation, it rings once on every device, also on one that registers meanwhile',
  async (t, scenario) => {
    const [alice, laptop] = await scenario.addAliceAndBob()
    await alice.post('rooms/r1/participants')
    await inviteAndDie(scenario, alice, 'bob')
    const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode })
    await scenario.advance(10_000)
    for (const bobs of [laptop, watch])
      t.match(await bobs.expectEvent('room.invitation'), { invitationId: 'unpublished' })
    await watch.post('rooms/r1/invitations/unpublished/accept')
    await alice.expectEvent('room.invitation_ended')
    await laptop.expectEvent('room.invitation_ended')
  }
)
