// A room from its first participant to its last.
import { join, meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

flow('people join, are told of each other, and leave', async (t, scenario) => {
  const [a, b] = await scenario.enterBoth()
  const first = await a.ask('POST', 'rooms/r1/participants', { metadata: { name: 'Alice' } })
  t.match(first, { status: 201, body: { room: { roomId: 'r1', createdBy: 'alice', participantCount: 1 } } })
  t.match(first.body.participants, [{ ...a.endpoint, role: 'host', away: false, metadata: { name: 'Alice' } }])
  const second = await b.ask('POST', 'rooms/r1/participants')
  t.match(second, { status: 201, body: { participants: [a.endpoint, { ...b.endpoint, role: 'speaker' }] } })
  t.match(await a.hears('room.participant_joined'), { roomId: 'r1', version: 2, participant: b.endpoint })

  const again = await b.ask('POST', 'rooms/r1/participants')
  t.match(again, { status: 200, body: { participantId: second.body.participantId } }, 'joining twice is joining once')
  t.match(await b.ask('GET', 'snapshot'), { body: { rooms: [{ room: { roomId: 'r1' }, device: 'laptop' }] } })

  await b.ask('DELETE', `rooms/r1/participants/${second.body.participantId}`)
  t.match(await a.hears('room.participant_left'), { user: 'bob', reason: 'left', by: b.endpoint })
  t.match(await a.ask('GET', 'rooms/r1'), { body: { room: { participantCount: 1 }, participants: [a.endpoint] } })
  t.match(await b.ask('GET', 'snapshot'), { body: { rooms: [] } })
})

flow('a device that joins anew replaces what it was', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const reply = await bob.who.does('rooms/r1/participants', { replace: true })
  t.not(reply.participantId, bob.id)
  for (const other of [alice, carol]) {
    t.match(await other.who.hears('room.participant_left'), { participantId: bob.id, reason: 'replaced' })
    t.match(await other.who.hears('room.participant_joined'), { participant: { participantId: reply.participantId } })
  }
})

flow('what was for a participation that is over can be told from what is for the new one', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.does('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  const { participantId } = await bob.who.does('rooms/r1/participants', { replace: true })
  await alice.who.does('rooms/r1/offer', { to: participantId, sdp: sdp('aliceB') })
  t.match(await bob.who.hears('signal.offer'), { to: bob.id, revision: 1, sdp: sdp('aliceA') })
  t.match(await bob.who.hears('signal.offer'), { to: participantId, revision: 1, sdp: sdp('aliceB') })
  for (const other of [alice, carol]) await other.who.hearsAll('room.participant_left', 'room.participant_joined')
})

flow('offer, answer and candidates go from one to one, each description before its candidates', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const early = { to: bob.id, candidates: candidates(2, 'aliceA') }
  t.match(await alice.who.does('rooms/r1/candidates', early), { accepted: 2, held: 2 })
  await alice.who.does('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  const from = { ...alice.who.endpoint, participantId: alice.id }
  t.match(await bob.who.hears('signal.offer'), { roomId: 'r1', from, to: bob.id, revision: 1 })
  t.match(await bob.who.hears('signal.candidates'), { from, revision: 1 })
  await bob.who.does('rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
  t.match(await alice.who.hears('signal.answer'), { revision: 1, from: { participantId: bob.id } })
  await bob.who.does('rooms/r1/candidates', { to: alice.id, candidates: candidates(1, 'bobB') })
  await alice.who.hears('signal.candidates')
  await carol.who.does('rooms/r1/offer', { to: alice.id, sdp: sdp('carolC') })
  t.match(await alice.who.hears('signal.offer'), { from: { participantId: carol.id } })
  t.match(await alice.who.isRefused('offer_collision', 'rooms/r1/offer', { to: carol.id, sdp: sdp('aliceD') }), {
    polite: false
  })
})

flow('strangers are kept apart', async (t, scenario) => {
  const [alice, bob] = await meet(scenario)
  const eve = await scenario.enter('eve', 'phone', { node: scenario.far })
  await eve.isRefused('room_not_found', 'rooms/r1/offer', { to: bob.id, sdp: sdp('eveE') })
  const other = await join(eve, 'r2')
  await alice.who.isRefused('participant_not_found', 'rooms/r1/offer', { to: other.id, sdp: sdp('aliceA') })
  await alice.who.isRefused('cannot_signal_self', 'rooms/r1/offer', { to: alice.id, sdp: sdp('aliceA') })
  await alice.who.isRefused('room_not_found', 'rooms/r9/offer', { to: bob.id, sdp: sdp('aliceA') })
  t.match(await eve.ask('DELETE', `rooms/r1/participants/${bob.id}`), { body: { code: 'room_not_found' } })
})

flow('a moderator puts somebody out, who is told why and cannot return while banned', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const second = await scenario.enter('bob', 'phone')
  const twin = await join(second, 'r1')
  for (const other of [alice, bob, carol]) await other.who.hears('room.participant_joined')
  await bob.who.hears('room.joined')
  const path = `rooms/r1/participants/${bob.id}?ban=true&banForMs=60000`
  t.equal((await alice.who.ask('DELETE', path)).status, 204)
  const told = { reason: 'removed', by: alice.who.endpoint }
  t.match(await bob.who.hears('room.participant_left'), { ...told, participantId: bob.id })
  t.match(await carol.who.hears('room.participant_left'), { ...told, participantId: bob.id })
  t.match(await carol.who.hears('room.participant_left'), { ...told, participantId: twin.id })
  t.match(await second.hears('room.participant_left'), { ...told, participantId: twin.id })
  for (const his of [bob.who, second]) await his.isRefused('banned', 'rooms/r1/participants')
  t.match(await alice.who.ask('GET', 'rooms/r1/bans'), { body: { bans: [{ user: 'bob', by: alice.who.endpoint }] } })
  await scenario.pass(60_000)
  await join(bob.who, 'r1')
  for (const other of [alice, carol]) await other.who.hears('room.participant_joined')
  await second.hears('room.joined')
})

flow('roles are given, and asked to mute', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const path = `rooms/r1/participants/${carol.id}`
  t.match(await bob.who.ask('PATCH', path, { role: 'listener' }), { body: { code: 'not_permitted' } })
  await alice.who.ask('PATCH', `rooms/r1/participants/${bob.id}`, { role: 'moderator' })
  for (const who of [bob.who, carol.who]) {
    t.match(await who.hears('room.participant_updated'), {
      participant: { user: 'bob', role: 'moderator' },
      by: alice.who.endpoint
    })
  }
  t.match(await bob.who.ask('PATCH', path, { mute: ['audio'] }), { status: 200 })
  t.match(await carol.who.hears('room.mute_requested'), { mute: ['audio'], by: bob.who.endpoint })
  t.match(await bob.who.ask('PATCH', path, { role: 'host' }), { body: { code: 'not_permitted' } })
  t.match(await bob.who.ask('PUT', 'rooms/r1', { locked: true }), { body: { code: 'not_permitted' } })
})

flow('a room is made, filled, locked and closed', async (t, scenario) => {
  const [a, b] = await scenario.enterBoth()
  t.match(await a.ask('PUT', 'rooms/r1', { maxParticipants: 2, callType: 'audio' }), {
    status: 201,
    body: { room: { maxParticipants: 2, callType: 'audio', participantCount: 0 } }
  })
  await join(a, 'r1')
  await join(b, 'r1')
  await a.hears('room.participant_joined')
  const carol = await scenario.enter('carol', 'tablet')
  await carol.isRefused('room_full', 'rooms/r1/participants')
  t.match(await a.ask('PUT', 'rooms/r1', { maxParticipants: 3, locked: true }), {
    status: 200,
    body: { room: { maxParticipants: 3, locked: true, callType: 'audio' } }
  })
  t.match(await b.hears('room.updated'), { changes: { locked: true }, by: a.endpoint })
  await carol.isRefused('room_locked', 'rooms/r1/participants')
  t.equal((await a.ask('DELETE', 'rooms/r1')).status, 204)
  t.match(await b.hears('room.closed'), { reason: 'closed', by: a.endpoint })
  await b.isRefused('room_closed', 'rooms/r1/participants')
})

flow('who drops off and comes back in time is away, and never gone', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await bob.who.leaves()
  await scenario.hasStreams(2)
  for (const other of [alice, carol]) {
    t.match(await other.who.hears('room.participant_updated'), { participant: { user: 'bob', away: true } })
  }
  await scenario.pass(4500)
  await bob.who.listens()
  for (const other of [alice, carol]) {
    t.match(await other.who.hears('room.participant_updated'), { participant: { user: 'bob', away: false } })
  }
  await scenario.pass(10_000)
})

flow('who stays away has left', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await bob.who.leaves()
  await scenario.hasStreams(2)
  for (const other of [alice, carol]) await other.who.hears('room.participant_updated')
  await scenario.pass(6000)
  for (const other of [alice, carol]) {
    t.match(await other.who.hears('room.participant_left'), { user: 'bob', reason: 'lost', by: null })
  }
  await bob.who.listens()
  t.match(await bob.who.hears('room.participant_left'), { reason: 'lost' })
  t.match(await bob.who.ask('GET', 'snapshot'), { body: { rooms: [] } })
})

flow('a room that is made ahead of time waits for its first participant', async (t, scenario) => {
  const alice = await scenario.enter('alice', 'phone')
  await alice.ask('PUT', 'rooms/r1', { callType: 'audio' })
  await scenario.pass(60_000)
  const later = await alice.ask('PUT', 'rooms/r1', { maxParticipants: 5 })
  t.match(later, { status: 200, body: { room: { callType: 'audio', maxParticipants: 5 } } })
  t.match(await alice.does('rooms/r1/participants'), { room: { callType: 'audio' } })
})

flow('the last one out closes it after a while', async (t, scenario) => {
  const [a, b] = await scenario.enterBoth()
  const alice = await join(a, 'r1')
  await a.ask('DELETE', `rooms/r1/participants/${alice.id}`)
  await scenario.pass(20_000)
  t.match(await a.ask('GET', 'rooms/r1'), { status: 200 }, 'it lingers, and its creator may see it')
  await scenario.pass(20_000)
  t.match(await a.ask('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
  t.match(await b.does('rooms/r1/participants'), { room: { createdBy: 'bob' }, participants: [{ role: 'host' }] })
})
