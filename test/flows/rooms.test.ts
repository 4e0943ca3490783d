// A room from its first participant to its last.
import { join, meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

flow('people join, are told of each other, and leave', async (t, scenario) => {
  const [a, b] = await scenario.addAliceAndBob()
  const first = await a.request('POST', 'rooms/r1/participants', { metadata: { name: 'Alice' } })
  t.match(first, { status: 201, body: { room: { roomId: 'r1', createdBy: 'alice', participantCount: 1 } } })
  t.match(first.body.participants, [{ ...a.endpoint, role: 'host', away: false, metadata: { name: 'Alice' } }])
  const second = await b.request('POST', 'rooms/r1/participants')
  t.match(second, { status: 201, body: { participants: [a.endpoint, { ...b.endpoint, role: 'speaker' }] } })
  t.match(await a.expectEvent('room.participant_joined'), { roomId: 'r1', version: 2, participant: b.endpoint })

  const again = await b.request('POST', 'rooms/r1/participants')
  t.match(again, { status: 200, body: { participantId: second.body.participantId } }, 'joining twice is joining once')
  t.match(await b.request('GET', 'snapshot'), { body: { rooms: [{ room: { roomId: 'r1' }, device: 'laptop' }] } })

  await b.request('DELETE', `rooms/r1/participants/${second.body.participantId}`)
  t.match(await a.expectEvent('room.participant_left'), { user: 'bob', reason: 'left', by: b.endpoint })
  t.match(await a.request('GET', 'rooms/r1'), { body: { room: { participantCount: 1 }, participants: [a.endpoint] } })
  t.match(await b.request('GET', 'snapshot'), { body: { rooms: [] } })
})

flow('a device that joins anew replaces what it was', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const reply = await bob.who.post('rooms/r1/participants', { replace: true })
  t.not(reply.participantId, bob.id)
  for (const other of [alice, carol]) {
    t.match(await other.who.expectEvent('room.participant_left'), { participantId: bob.id, reason: 'replaced' })
    t.match(await other.who.expectEvent('room.participant_joined'), {
      participant: { participantId: reply.participantId }
    })
  }
})

flow('what was for a participation that is over can be told from what is for the new one', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  const { participantId } = await bob.who.post('rooms/r1/participants', { replace: true })
  await alice.who.post('rooms/r1/offer', { to: participantId, sdp: sdp('aliceB') })
  t.match(await bob.who.expectEvent('signal.offer'), { to: bob.id, revision: 1, sdp: sdp('aliceA') })
  t.match(await bob.who.expectEvent('signal.offer'), { to: participantId, revision: 1, sdp: sdp('aliceB') })
  for (const other of [alice, carol]) await other.who.expectEvents('room.participant_left', 'room.participant_joined')
})

flow('offer, answer and candidates go from one to one, each description before its candidates', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const early = { to: bob.id, candidates: candidates(2, 'aliceA') }
  t.match(await alice.who.post('rooms/r1/candidates', early), { accepted: 2, held: { length: 2 } })
  await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  const from = { ...alice.who.endpoint, participantId: alice.id }
  t.match(await bob.who.expectEvent('signal.offer'), { roomId: 'r1', from, to: bob.id, revision: 1 })
  t.match(await bob.who.expectEvent('signal.candidates'), { from, revision: 1 })
  await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
  t.match(await alice.who.expectEvent('signal.answer'), { revision: 1, from: { participantId: bob.id } })
  await bob.who.post('rooms/r1/candidates', { to: alice.id, candidates: candidates(1, 'bobB') })
  await alice.who.expectEvent('signal.candidates')
  await carol.who.post('rooms/r1/offer', { to: alice.id, sdp: sdp('carolC') })
  t.match(await alice.who.expectEvent('signal.offer'), { from: { participantId: carol.id } })
  t.match(await alice.who.expectRefusal('offer_collision', 'rooms/r1/offer', { to: carol.id, sdp: sdp('aliceD') }), {
    polite: false
  })
})

flow('strangers are kept apart', async (t, scenario) => {
  const [alice, bob] = await meet(scenario)
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  await eve.expectRefusal('room_not_found', 'rooms/r1/offer', { to: bob.id, sdp: sdp('eveE') })
  const other = await join(eve, 'r2')
  await alice.who.expectRefusal('participant_not_found', 'rooms/r1/offer', { to: other.id, sdp: sdp('aliceA') })
  await alice.who.expectRefusal('cannot_signal_self', 'rooms/r1/offer', { to: alice.id, sdp: sdp('aliceA') })
  await alice.who.expectRefusal('room_not_found', 'rooms/r9/offer', { to: bob.id, sdp: sdp('aliceA') })
  t.match(await eve.request('DELETE', `rooms/r1/participants/${bob.id}`), { body: { code: 'room_not_found' } })
})

flow('a moderator puts somebody out, who is told why and cannot return while banned', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const second = await scenario.addClient('bob', 'phone')
  const twin = await join(second, 'r1')
  for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
  await bob.who.expectEvent('room.joined')
  const path = `rooms/r1/participants/${bob.id}?ban=true&banForMs=60000`
  t.equal((await alice.who.request('DELETE', path)).status, 204)
  const told = { reason: 'removed', by: alice.who.endpoint }
  t.match(await bob.who.expectEvent('room.participant_left'), { ...told, participantId: bob.id })
  t.match(await carol.who.expectEvent('room.participant_left'), { ...told, participantId: bob.id })
  t.match(await carol.who.expectEvent('room.participant_left'), { ...told, participantId: twin.id })
  t.match(await second.expectEvent('room.participant_left'), { ...told, participantId: twin.id })
  for (const his of [bob.who, second]) await his.expectRefusal('banned', 'rooms/r1/participants')
  t.match(await alice.who.request('GET', 'rooms/r1/bans'), {
    body: { bans: [{ user: 'bob', by: alice.who.endpoint }] }
  })
  await scenario.advance(60_000)
  await join(bob.who, 'r1')
  for (const other of [alice, carol]) await other.who.expectEvent('room.participant_joined')
  await second.expectEvent('room.joined')
})

flow('roles are given, and asked to mute', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const path = `rooms/r1/participants/${carol.id}`
  t.match(await bob.who.request('PATCH', path, { role: 'listener' }), { body: { code: 'not_permitted' } })
  await alice.who.request('PATCH', `rooms/r1/participants/${bob.id}`, { role: 'moderator' })
  for (const who of [bob.who, carol.who]) {
    t.match(await who.expectEvent('room.participant_updated'), {
      participant: { user: 'bob', role: 'moderator' },
      by: alice.who.endpoint
    })
  }
  t.match(await bob.who.request('PATCH', path, { mute: ['audio'] }), { status: 200 })
  t.match(await carol.who.expectEvent('room.mute_requested'), { mute: ['audio'], by: bob.who.endpoint })
  t.match(await bob.who.request('PATCH', path, { role: 'host' }), { body: { code: 'not_permitted' } })
  t.match(await bob.who.request('PUT', 'rooms/r1', { locked: true }), { body: { code: 'not_permitted' } })
})

flow('a room is made, filled, locked and closed', async (t, scenario) => {
  const [a, b] = await scenario.addAliceAndBob()
  t.match(await a.request('PUT', 'rooms/r1', { maxParticipants: 2, callType: 'audio' }), {
    status: 201,
    body: { room: { maxParticipants: 2, callType: 'audio', participantCount: 0 } }
  })
  await join(a, 'r1')
  await join(b, 'r1')
  await a.expectEvent('room.participant_joined')
  const carol = await scenario.addClient('carol', 'tablet')
  await carol.expectRefusal('room_full', 'rooms/r1/participants')
  t.match(await a.request('PUT', 'rooms/r1', { maxParticipants: 3, locked: true }), {
    status: 200,
    body: { room: { maxParticipants: 3, locked: true, callType: 'audio' } }
  })
  t.match(await b.expectEvent('room.updated'), { changes: { locked: true }, by: a.endpoint })
  await carol.expectRefusal('room_locked', 'rooms/r1/participants')
  t.equal((await a.request('DELETE', 'rooms/r1')).status, 204)
  t.match(await b.expectEvent('room.closed'), { reason: 'closed', by: a.endpoint })
  await b.expectRefusal('room_closed', 'rooms/r1/participants')
})

flow('who drops off and comes back in time is away, and never gone', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await bob.who.closeStream()
  await scenario.waitForStreams(2)
  for (const other of [alice, carol]) {
    t.match(await other.who.expectEvent('room.participant_updated'), { participant: { user: 'bob', away: true } })
  }
  await scenario.advance(4500)
  await bob.who.openStream()
  for (const other of [alice, carol]) {
    t.match(await other.who.expectEvent('room.participant_updated'), { participant: { user: 'bob', away: false } })
  }
  await scenario.advance(10_000)
})

flow('who stays away has left', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await bob.who.closeStream()
  await scenario.waitForStreams(2)
  for (const other of [alice, carol]) await other.who.expectEvent('room.participant_updated')
  await scenario.advance(6000)
  for (const other of [alice, carol]) {
    t.match(await other.who.expectEvent('room.participant_left'), { user: 'bob', reason: 'lost', by: null })
  }
  await bob.who.openStream()
  t.match(await bob.who.expectEvent('room.participant_left'), { reason: 'lost' })
  t.match(await bob.who.request('GET', 'snapshot'), { body: { rooms: [] } })
})

flow('a room that is made ahead of time waits for its first participant', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  await alice.request('PUT', 'rooms/r1', { callType: 'audio' })
  await scenario.advance(60_000)
  const later = await alice.request('PUT', 'rooms/r1', { maxParticipants: 5 })
  t.match(later, { status: 200, body: { room: { callType: 'audio', maxParticipants: 5 } } })
  t.match(await alice.post('rooms/r1/participants'), { room: { callType: 'audio' } })
})

flow('the last one out closes it after a while', async (t, scenario) => {
  const [a, b] = await scenario.addAliceAndBob()
  const alice = await join(a, 'r1')
  await a.request('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.advance(20_000)
  t.match(await a.request('GET', 'rooms/r1'), { status: 200 }, 'it lingers, and its creator may see it')
  await scenario.advance(20_000)
  t.match(await a.request('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
  t.match(await b.post('rooms/r1/participants'), { room: { createdBy: 'bob' }, participants: [{ role: 'host' }] })
})
