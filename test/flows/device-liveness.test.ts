// Devices that disconnect during a call: the other side receives an event, and the call ends after the grace time.

import { join } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

async function talk(scenario: Scenario): Promise<[alice: TestClient, bob: TestClient]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await bob.post('calls/c1/connected')
  await alice.expectEvents('call.accepted', 'call.connected')
  return [alice, bob]
}

flow('a device that comes back within the grace time is announced away, then back', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.closeStream()
  await scenario.advance(4_000)
  t.match(await alice.call('c1'), { state: 'connected' })
  await scenario.advance(3_000)
  const away = await alice.expectEvent('call.peer_away')
  t.match(away, { device: bob.endpoint })
  const left = Number(away.expiresInMs)
  t.ok(left > 22_000 && left <= 25_000, `${left} ms of the grace are left`)
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  bob.useNode(0)
  await bob.openStream()
  await bob.expectEvent('signal.offer')
  t.match(await alice.expectEvent('call.peer_back'), { device: bob.endpoint })
  await scenario.advance(40_000)
  t.match(await alice.call('c1'), { state: 'connected' }, 'no device counts as away')
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow('a reconnection within AWAY_AFTER_MS is not announced', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  for (let i = 0; i < 3; i++) {
    await bob.closeStream()
    await scenario.advance(3_000)
    await bob.openStream()
    await scenario.advance(3_000)
  }
  await bob.post('calls/c1/hangup')
  t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' }, 'the next event of alice')
})

flow('the call of a device that does not come back ends as lost', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.closeStream()
  await scenario.advance(33_000)
  t.match(await alice.expectEvent('call.peer_away'), { device: bob.endpoint })
  t.match(await alice.expectEvent('call.ended'), { reason: 'lost', endedBy: bob.endpoint })
  await bob.openStream()
  t.match(
    await bob.expectEvent('call.ended'),
    { reason: 'lost', endedBy: bob.endpoint },
    'the device gets the end when it comes back'
  )
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('the call ends as lost when both devices are gone', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await alice.closeStream()
  await scenario.advance(1_000)
  await bob.closeStream()
  await scenario.advance(33_000)
  t.match(await bob.call('c1'), { state: 'ended', reason: 'lost', endedBy: alice.endpoint })
  for (const client of [alice, bob]) {
    await client.openStream()
    await client.expectEvents('call.peer_away', 'call.ended')
  }
})

flow('a device without a stream is kept alive by its keepalives and polls', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.closeStream()
  for (let i = 0; i < 10; i++) {
    await scenario.advance(4_000)
    if (i % 2 === 0) await bob.poll()
    else await bob.request('PUT', 'presence', {})
  }
  await bob.post('calls/c1/hangup')
  t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' })
})

/** Keepalives and nothing else, each well within AWAY_AFTER_MS (5 s) of the one before. */
async function sendKeepalives(scenario: Scenario, client: TestClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await scenario.advance(4_000)
    await client.request('PUT', 'presence', {})
  }
}

flow('in a call a keepalive counts for AWAY_AFTER_MS, in presence for PRESENCE_TTL_MS', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  const presenceOfBob = async () => {
    const { body } = await alice.request('GET', `presence?users=${scenario.toPath('bob')}`)
    return (body.presences as { state: string }[])[0]?.state
  }
  await bob.closeStream()
  await sendKeepalives(scenario, bob, 5)
  await scenario.advance(7_000)
  const left = Number((await alice.expectEvent('call.peer_away')).expiresInMs)
  t.ok(left > 22_000 && left <= 25_000, `away 5 s after the last keepalive: ${left} ms of the grace are left`)
  t.equal(await presenceOfBob(), 'busy', 'a device that is away in a call is not offline')
  // The check after the next one finds the device back: up to two times AWAY_AFTER_MS later.
  await sendKeepalives(scenario, bob, 3)
  t.match(await alice.expectEvent('call.peer_back'), { device: bob.endpoint })
  await scenario.advance(33_000)
  t.match(await alice.expectEvent('call.peer_away'), { device: bob.endpoint })
  t.match(await alice.expectEvent('call.ended'), { reason: 'lost', endedBy: bob.endpoint })
  t.equal(await presenceOfBob(), 'offline')
  await bob.openStream()
  await bob.expectEvent('call.ended')
})

flow('in a room a device without a connection is away AWAY_AFTER_MS after its last keepalive', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode, silent: true })
  await join(alice, 'r1')
  await join(bob, 'r1')
  await alice.expectEvent('room.participant_joined')
  await sendKeepalives(scenario, bob, 5)
  await scenario.advance(7_000)
  t.match(await alice.expectEvent('room.participant_updated'), { participant: { user: 'bob', away: true } })
  await scenario.advance(7_000)
  t.match(await alice.expectEvent('room.participant_left'), { user: 'bob', reason: 'lost' })
})
