// Joining, signaling in, moderating, leaving and closing a room.
import { join, meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

flow(
  'when devices join and leave, the others receive it, and a repeated join returns the same participation',
  async (t, scenario) => {
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
  }
)

flow('when a device joins with replace, its old participation leaves as replaced', async (t, scenario) => {
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

flow(
  'when a device has joined anew, signals to its old participation carry the old participant id',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
    const { participantId } = await bob.who.post('rooms/r1/participants', { replace: true })
    await alice.who.post('rooms/r1/offer', { to: participantId, sdp: sdp('aliceB') })
    t.match(await bob.who.expectEvent('signal.offer'), { to: bob.id, revision: 1, sdp: sdp('aliceA') })
    t.match(await bob.who.expectEvent('signal.offer'), { to: participantId, revision: 1, sdp: sdp('aliceB') })
    for (const other of [alice, carol]) await other.who.expectEvents('room.participant_left', 'room.participant_joined')
  }
)

flow('when candidates are sent before their offer, they wait and follow it', async (t, scenario) => {
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

flow('a signal is refused when the sender or the recipient is not in the room', async (t, scenario) => {
  const [alice, bob] = await meet(scenario)
  const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
  await eve.expectRefusal('room_not_found', 'rooms/r1/offer', { to: bob.id, sdp: sdp('eveE') })
  const other = await join(eve, 'r2')
  await alice.who.expectRefusal('participant_not_found', 'rooms/r1/offer', { to: other.id, sdp: sdp('aliceA') })
  await alice.who.expectRefusal('cannot_signal_self', 'rooms/r1/offer', { to: alice.id, sdp: sdp('aliceA') })
  await alice.who.expectRefusal('room_not_found', 'rooms/r9/offer', { to: bob.id, sdp: sdp('aliceA') })
  t.match(await eve.request('DELETE', `rooms/r1/participants/${bob.id}`), { body: { code: 'room_not_found' } })
})

flow(
  'when a host bans a participant, all devices of the user are removed and may join again when the ban lapses',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    const second = await scenario.addClient('bob', 'phone')
    const twin = await join(second, 'r1')
    for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
    await bob.who.expectEvent('room.joined')
    const path = `rooms/r1/participants/${bob.id}?ban=true&banForMs=60000`
    t.equal((await alice.who.request('DELETE', path)).status, 204)
    const removed = { reason: 'removed', by: alice.who.endpoint }
    t.match(await bob.who.expectEvent('room.participant_left'), { ...removed, participantId: bob.id })
    t.match(await carol.who.expectEvent('room.participant_left'), { ...removed, participantId: bob.id })
    t.match(await carol.who.expectEvent('room.participant_left'), { ...removed, participantId: twin.id })
    t.match(await second.expectEvent('room.participant_left'), { ...removed, participantId: twin.id })
    for (const device of [bob.who, second]) await device.expectRefusal('banned', 'rooms/r1/participants')
    t.match(await alice.who.request('GET', 'rooms/r1/bans'), {
      body: { bans: [{ user: 'bob', by: alice.who.endpoint }] }
    })
    await scenario.advance(60_000)
    await join(bob.who, 'r1')
    for (const other of [alice, carol]) await other.who.expectEvent('room.participant_joined')
    await second.expectEvent('room.joined')
  }
)

flow(
  'when a participant is made moderator, it may ask others to mute but not appoint a host or lock the room',
  async (t, scenario) => {
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
  }
)

flow('a join is refused when the room is full, locked or closed', async (t, scenario) => {
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

flow('when a device reconnects in time, it was away and stays in the room', async (t, scenario) => {
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

flow('when a device does not reconnect in time, it leaves as lost', async (t, scenario) => {
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

flow(
  'when a room was created without joining it, it keeps its settings for the first participant',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    await alice.request('PUT', 'rooms/r1', { callType: 'audio' })
    await scenario.advance(60_000)
    const later = await alice.request('PUT', 'rooms/r1', { maxParticipants: 5 })
    t.match(later, { status: 200, body: { room: { callType: 'audio', maxParticipants: 5 } } })
    t.match(await alice.post('rooms/r1/participants'), { room: { callType: 'audio' } })
  }
)

flow(
  'when the last participant leaves, the room closes after ROOM_LINGER_MS and can be created anew',
  async (t, scenario) => {
    const [a, b] = await scenario.addAliceAndBob()
    const alice = await join(a, 'r1')
    await a.request('DELETE', `rooms/r1/participants/${alice.id}`)
    await scenario.advance(20_000)
    t.match(await a.request('GET', 'rooms/r1'), { status: 200 }, 'it is still open, and its creator may read it')
    await scenario.advance(20_000)
    t.match(await a.request('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
    t.match(await b.post('rooms/r1/participants'), { room: { createdBy: 'bob' }, participants: [{ role: 'host' }] })
  }
)
