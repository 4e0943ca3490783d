// Devices that vanish in mid-call: the other side hears of it, and the call waits for a while.

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

flow('a device is gone and comes back within the grace', async (t, scenario) => {
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
  t.match(await alice.call('c1'), { state: 'connected' }, 'and nobody is missed any more')
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow('a change of networks within a moment goes unnoticed', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  for (let i = 0; i < 3; i++) {
    await bob.closeStream()
    await scenario.advance(3_000)
    await bob.openStream()
    await scenario.advance(3_000)
  }
  await bob.post('calls/c1/hangup')
  t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' }, 'the very next thing alice hears')
})

flow('a device that does not come back loses the call', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.closeStream()
  await scenario.advance(33_000)
  t.match(await alice.expectEvent('call.peer_away'), { device: bob.endpoint })
  t.match(await alice.expectEvent('call.ended'), { reason: 'lost', endedBy: bob.endpoint })
  await bob.openStream()
  t.match(
    await bob.expectEvent('call.ended'),
    { reason: 'lost', endedBy: bob.endpoint },
    'it reads of it when it comes back'
  )
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('when both are gone the call ends all the same', async (t, scenario) => {
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

flow('a device without a stream lives by its posts and its polls', async (t, scenario) => {
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
