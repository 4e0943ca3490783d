// Broadcast candidates: each other participant receives them once, after their description.
import { meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

const broadcast = (who: TestClient, count: number, ufrag: string, more = {}) =>
  who.post('rooms/r1/candidates', { candidates: candidates(count, ufrag), ...more })

const receivedCount = async (who: TestClient) =>
  ((await who.expectEvent('signal.candidates')).candidates as unknown[]).length

flow(
  'when candidates are broadcast, each participant receives them once, after the description they belong to',
  async (t, scenario) => {
    const [alice, bob, carol] = await meet(scenario)
    t.match(await broadcast(alice.who, 2, 'aliceA'), {
      accepted: 2,
      held: { length: 2 },
      delivery: { online: 0, queued: 0 }
    })
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
    await bob.who.expectEvent('signal.offer')
    t.equal(await receivedCount(bob.who), 2)
    alice.who.useNode(scenario.lastNode)
    t.match(
      await broadcast(alice.who, 3, 'aliceA'),
      { accepted: 3, held: { length: 3 }, delivery: { online: 1 } },
      'carol has no offer yet'
    )
    t.equal(await receivedCount(bob.who), 3, 'the first two are not sent again')
    await alice.who.post('rooms/r1/offer', { to: carol.id, sdp: sdp('aliceA') })
    await carol.who.expectEvent('signal.offer')
    t.equal(await receivedCount(carol.who), 5)
    await alice.who.post('rooms/r1/offer', { to: carol.id, sdp: sdp('aliceA') })
    await broadcast(alice.who, 1, 'aliceA', { end: true })
    for (const { who } of [bob, carol])
      t.match(await who.expectEvent('signal.candidates'), { candidates: { length: 1 }, end: true })
    await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
    await alice.who.expectEvent('signal.answer')
  }
)

flow(
  'when broadcast candidates belong to the next ICE generation, they wait for its description; earlier ones are not sent again',
  async (t, scenario) => {
    const [alice, bob] = await meet(scenario)
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
    await bob.who.expectEvent('signal.offer')
    await broadcast(alice.who, 1, 'aliceA')
    t.equal(await receivedCount(bob.who), 1)
    await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
    await alice.who.expectEvent('signal.answer')
    t.match(await broadcast(alice.who, 2, 'aliceC'), { held: { length: 2 } })
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceC') })
    await bob.who.expectEvent('signal.offer')
    t.equal(await receivedCount(bob.who), 2)
  }
)

flow(
  'when an offer and a broadcast arrive at the same moment, the candidates are received once',
  async (t, scenario) => {
    const [alice, bob] = await meet(scenario)
    for (let round = 0; round < 5; round++) {
      const ufrag = `alice${round}`
      await Promise.all([
        alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp(ufrag) }),
        broadcast(alice.who, 1, ufrag)
      ])
      await bob.who.expectEvent('signal.offer')
      t.equal(await receivedCount(bob.who), 1)
      await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp(`bob${round}`) })
      await alice.who.expectEvent('signal.answer')
    }
  }
)

flow(
  'when a listener broadcasts candidates, it is refused; to one participant it may send them',
  async (t, scenario) => {
    const host = await scenario.addClient('alice', 'phone')
    t.equal((await host.request('PUT', 'rooms/r1', { defaultRole: 'listener' })).status, 201)
    const { participantId } = await host.post('rooms/r1/participants')
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    await bob.post('rooms/r1/participants')
    await host.expectEvent('room.participant_joined')
    await bob.expectRefusal('not_permitted', 'rooms/r1/candidates', { candidates: candidates(1, 'bobB') })
    t.match(await bob.post('rooms/r1/candidates', { to: participantId, candidates: candidates(1, 'bobB') }), {
      held: { length: 1 }
    })
  }
)
