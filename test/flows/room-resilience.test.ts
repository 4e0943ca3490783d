// A room when nodes die or close, devices poll, and many requests arrive at once.

import { PART } from '../../src/domain/room/state.js'
import { joinIds } from '../../src/id-text.js'
import type { OutboxItem } from '../../src/store/aggregate.js'
import { type JoinedClient, join, meet } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

/** See docs/architecture.md, "What a commit does". */
const PUBLISHED_WITHIN_MS = 2_000

/** Commits as a node that is killed right after it: other nodes have to publish the commit. */
async function commitAndDie(scenario: Scenario, { who, id }: JoinedClient): Promise<void> {
  const roomId = scenario.toWire('r1')
  const [user, device] = [scenario.toWire(who.user), who.device]
  const part = PART.participant(id)
  const room = await scenario.store.rooms.load(roomId, [part])
  const field = room?.fields.get(part)
  const now = scenario.now()
  const data = { roomId, participantId: id, user, reason: 'lost', by: null }
  const event = { type: 'room.participant_left', timestamp: new Date(now).toISOString(), data }
  const items: OutboxItem[] = [
    { do: 'publish', event },
    { do: 'deliver', user, device, event }
  ]
  const { status } = await scenario.store.rooms.commit(roomId, {
    reads: { [part]: field ?? null },
    writes: { [part]: null },
    participantsMax: 100,
    items,
    tag: 'abcde',
    deadlineAt: null,
    emptyDeadlineAt: now,
    expireInMs: null,
    node: 'dead-node',
    now
  })
  if (status !== 'ok') throw new Error(status)
}

flow(
  'when a node is killed after a commit, participants receive its events within two seconds',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    await commitAndDie(scenario, bob)
    await scenario.advance(PUBLISHED_WITHIN_MS)
    // The clock does not move from here on, so what is received was published in time.
    for (const each of [alice, bob, carol]) {
      t.match(await each.who.expectEvent('room.participant_left'), { participantId: bob.id, reason: 'lost' })
    }
  }
)

flow('when another node commits before these events are published, its events follow them', async (_, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await commitAndDie(scenario, bob)
  await scenario.advanceDuring(alice.who.request('PATCH', `rooms/r1/participants/${alice.id}`, { metadata: { n: 1 } }))
  await scenario.advance(PUBLISHED_WITHIN_MS)
  await alice.who.expectEvent('room.participant_left')
  await bob.who.expectEvent('room.participant_left')
  await carol.who.expectEvents('room.participant_left', 'room.participant_updated')
})

flow(
  'when a pair is checked before its joining is published, its signals stay held until then',
  async (_, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    await commitAndDie(scenario, carol)
    // A dead node holds the fan-out lease, which does not lapse during the check.
    const room = { kind: 'room', id: scenario.toWire('r1') } as const
    const batch = { node: 'dead-node', published: null, from: null, appendsMax: 1, entriesMax: 1, page: 256 }
    await scenario.store.fanouts.next(room, { ...batch, leaseMs: 60_000, now: scenario.now() })
    const dave = await join(await scenario.addClient('dave', 'phone'), 'r1')
    await dave.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('daveD') })
    await scenario.store.aggregates.bringForward(
      { kind: 'pair', id: joinIds(room.id, bob.id, dave.id) },
      scenario.now()
    )
    await scenario.advance(PUBLISHED_WITHIN_MS)
    await scenario.store.fanouts.next(room, { ...batch, leaseMs: 0, now: scenario.now() })
    await scenario.advance(PUBLISHED_WITHIN_MS)
    await bob.who.expectEvents('room.participant_left', 'room.participant_joined', 'signal.offer')
    await alice.who.expectEvents('room.participant_left', 'room.participant_joined')
    await carol.who.expectEvent('room.participant_left')
  }
)

flow(
  'when a node closes, its participants resume at another node without losing an event',
  async (t, scenario) => {
    // Without streams: whether the closing node announces dave as away is not part of this test.
    const [a, eve] = [
      await scenario.addClient('alice', 'phone', { silent: true }),
      await scenario.addClient('eve', 'phone', { silent: true })
    ]
    const alice = await join(a, 'r1')
    const other = await scenario.cluster.addNode()
    const dave = await scenario.addClient('dave', 'phone', { node: other })
    const joined = await join(dave, 'r1')
    await scenario.cluster.closeNode(other)
    await dave.closeStream()
    await join(eve, 'r1')
    await a.post('rooms/r1/offer', { to: joined.id, sdp: sdp('aliceA') })
    await dave.openStream()
    t.match(await dave.expectEvent('room.participant_joined'), { participant: eve.endpoint })
    t.match(await dave.expectEvent('signal.offer'), { from: { participantId: alice.id } })
  },
  { ownCluster: true }
)

flow('when a device stops polling, it is away; between two polls it is not', async (t, scenario) => {
  const a = await scenario.addClient('alice', 'phone')
  await join(a, 'r1')
  const bob = await scenario.addClient('bob', 'meter', { node: scenario.lastNode, silent: true })
  await bob.poll()
  const joined = await join(bob, 'r1')
  await a.expectEvent('room.participant_joined')
  for (let i = 0; i < 4; i++) {
    await scenario.advance(3000)
    await bob.poll()
  }
  t.match(await a.request('GET', 'rooms/r1'), {
    body: { participants: [{}, { participantId: joined.id, away: false }] }
  })
  await scenario.advance(30_000)
  t.match(await a.expectEvent('room.participant_updated'), { participant: { participantId: joined.id, away: true } })
  t.match(await a.expectEvent('room.participant_left'), { participantId: joined.id, reason: 'lost' })
  t.match(
    (await bob.poll()).map(({ type }) => type),
    ['room.participant_left']
  )
})

flow('when a device joins five times at once, it has one participation', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  const replies = await Promise.all(
    [0, scenario.lastNode, 0, scenario.lastNode, 0].map(node => {
      dave.useNode(node)
      return dave.request('POST', 'rooms/r1/participants')
    })
  )
  t.equal(new Set(replies.map(({ body }) => body.participantId)).size, 1)
  t.same(replies.map(({ status }) => status).sort(), [200, 200, 200, 200, 201])
  for (const other of [alice, bob, carol]) await other.who.expectEvent('room.participant_joined')
  const { participantId } = replies[0]?.body ?? {}
  t.match(await scenario.store.memberships.list(scenario.toWire('dave')), [{ participantId }])
})

flow(
  'when more users join at once than the room may have, the excess is refused with room_full',
  async (t, scenario) => {
    const host = await scenario.addClient('alice', 'phone')
    await host.request('PUT', 'rooms/r1', { maxParticipants: 4 })
    await join(host, 'r1')
    const crowd = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        scenario.addClient(`user${i}`, 'phone', { node: i % 2 === 0 ? 0 : scenario.lastNode, silent: true })
      )
    )
    const replies = await Promise.all(crowd.map(who => who.request('POST', 'rooms/r1/participants')))
    t.equal(replies.filter(({ status }) => status === 201).length, 3)
    t.equal(replies.filter(({ body }) => body.code === 'room_full').length, 5)
    t.match(await host.request('GET', 'rooms/r1'), { body: { room: { participantCount: 4 } } })
    await host.expectEvents(...Array.from({ length: 3 }, () => 'room.participant_joined'))
  }
)

flow('when two offers collide, one stands and the refusal tells the later joiner to be polite', async (t, scenario) => {
  const [alice, bob] = await meet(scenario)
  const replies = await Promise.all([
    alice.who.request('POST', 'rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') }),
    bob.who.request('POST', 'rooms/r1/offer', { to: alice.id, sdp: sdp('bobB') })
  ])
  t.same(replies.map(({ status }) => status).sort(), [202, 409])
  const aliceFirst = replies[0]?.status === 202
  const [first, second] = aliceFirst ? [alice, bob] : [bob, alice]
  const refusal = replies.find(({ status }) => status === 409)
  t.match(refusal?.body, { code: 'offer_collision', polite: aliceFirst, pendingFrom: first.id, revision: 1 })
  t.match(await second.who.expectEvent('signal.offer'), { from: { participantId: first.id } })
  await second.who.post('rooms/r1/answer', { to: first.id, sdp: sdp('answerA') })
  await first.who.expectEvent('signal.answer')
  t.match(await second.who.post('rooms/r1/offer', { to: first.id, sdp: sdp('againA') }), { revision: 2 })
  await first.who.expectEvent('signal.offer')
})

flow('when candidates name no recipient, all others receive them after their description', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  await bob.who.expectEvent('signal.offer')
  const batch = { candidates: candidates(3, 'aliceA') }
  t.match(await alice.who.post('rooms/r1/candidates', batch), { accepted: 3, held: { length: 3 } })
  t.match(await bob.who.expectEvent('signal.candidates'), batch)
  await alice.who.post('rooms/r1/offer', { to: carol.id, sdp: sdp('aliceA') })
  await carol.who.expectEvent('signal.offer')
  t.match(await carol.who.expectEvent('signal.candidates'), batch)
})

flow('a signal is refused when its recipient has just left or is in another room', async (_, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const elsewhere = await join(bob.who, 'r2')
  const offer = { sdp: sdp('aliceA') }
  await alice.who.post('rooms/r1/offer', { to: bob.id, ...offer })
  await bob.who.expectEvent('signal.offer')
  await bob.who.request('DELETE', `rooms/r1/participants/${bob.id}`)
  await alice.who.expectRefusal('participant_not_found', 'rooms/r1/offer', { to: bob.id, ...offer })
  await alice.who.expectRefusal('participant_not_found', 'rooms/r1/candidates', {
    to: bob.id,
    ...{ candidates: candidates(1) }
  })
  await alice.who.expectRefusal('participant_not_found', 'rooms/r1/offer', { to: elsewhere.id, ...offer })
  await alice.who.expectRefusal('room_not_found', 'rooms/r2/offer', { to: elsewhere.id, ...offer })
  await bob.who.expectRefusal('room_not_found', 'rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
  for (const other of [alice, carol]) await other.who.expectEvent('room.participant_left')
})
