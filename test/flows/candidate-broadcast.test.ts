// Candidates for all others in a room: each participant gets them once, after the description of their generation.

import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

async function meet(scenario: Scenario): Promise<{ who: TestClient; id: string }[]> {
  const people: { who: TestClient; id: string }[] = []
  for (const user of ['alice', 'bob', 'carol']) {
    const who = await scenario.addClient(user, 'phone', { node: people.length % 2 ? scenario.lastNode : 0 })
    const { participantId } = await who.post('rooms/r1/participants')
    for (const other of people) await other.who.expectEvent('room.participant_joined')
    people.push({ who, id: String(participantId) })
  }
  return people
}

const broadcast = (who: TestClient, count: number, ufrag: string, more = {}) =>
  who.post('rooms/r1/candidates', { candidates: candidates(count, ufrag), ...more })

const countReceived = async (who: TestClient) =>
  ((await who.expectEvent('signal.candidates')).candidates as unknown[]).length

flow(
  'broadcast candidates reach each participant once, after the offer or answer of their generation',
  async (t, scenario) => {
    const [alice, bob, carol] = (await meet(scenario)) as [
      { who: TestClient; id: string },
      { who: TestClient; id: string },
      { who: TestClient; id: string }
    ]
    t.match(await broadcast(alice.who, 2, 'aliceA'), {
      accepted: 2,
      held: { length: 2 },
      delivery: { online: 0, queued: 0 }
    })
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
    await bob.who.expectEvent('signal.offer')
    t.equal(await countReceived(bob.who), 2)
    alice.who.useNode(scenario.lastNode)
    t.match(
      await broadcast(alice.who, 3, 'aliceA'),
      { accepted: 3, held: { length: 3 }, delivery: { online: 1 } },
      'carol has no offer yet'
    )
    t.equal(await countReceived(bob.who), 3, 'not the first two again')
    await alice.who.post('rooms/r1/offer', { to: carol.id, sdp: sdp('aliceA') })
    await carol.who.expectEvent('signal.offer')
    t.equal(await countReceived(carol.who), 5)
    await alice.who.post('rooms/r1/offer', { to: carol.id, sdp: sdp('aliceA') })
    await broadcast(alice.who, 1, 'aliceA', { end: true })
    for (const { who } of [bob, carol])
      t.match(await who.expectEvent('signal.candidates'), { candidates: { length: 1 }, end: true })
    await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
    await alice.who.expectEvent('signal.answer')
  }
)

flow(
  'candidates of the next generation wait for its description, and those of the previous one are not sent again',
  async (t, scenario) => {
    const [alice, bob] = (await meet(scenario)) as [{ who: TestClient; id: string }, { who: TestClient; id: string }]
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
    await bob.who.expectEvent('signal.offer')
    await broadcast(alice.who, 1, 'aliceA')
    t.equal(await countReceived(bob.who), 1)
    await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp('bobB') })
    await alice.who.expectEvent('signal.answer')
    t.match(await broadcast(alice.who, 2, 'aliceC'), { held: { length: 2 } })
    await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceC') })
    await bob.who.expectEvent('signal.offer')
    t.equal(await countReceived(bob.who), 2)
  }
)

flow('the candidates of a broadcast concurrent with an offer arrive once', async (t, scenario) => {
  const [alice, bob] = (await meet(scenario)) as [{ who: TestClient; id: string }, { who: TestClient; id: string }]
  for (let round = 0; round < 5; round++) {
    const ufrag = `alice${round}`
    await Promise.all([
      alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp(ufrag) }),
      broadcast(alice.who, 1, ufrag)
    ])
    await bob.who.expectEvent('signal.offer')
    t.equal(await countReceived(bob.who), 1)
    await bob.who.post('rooms/r1/answer', { to: alice.id, sdp: sdp(`bob${round}`) })
    await alice.who.expectEvent('signal.answer')
  }
})

flow('a listener may send candidates to one participant, and may not broadcast them', async (t, scenario) => {
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
})
