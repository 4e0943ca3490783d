// Devices that vanish in mid-call: the other side hears of it, and the call waits for a while (DESIGN 5, deadlines).

import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

async function talk(scenario: Scenario): Promise<[alice: TestClient, bob: TestClient]> {
  const [alice, bob] = await scenario.enterBoth()
  await alice.does('calls', { callId: 'c1', to: 'bob' })
  await bob.hears('call.incoming')
  await bob.does('calls/c1/accept')
  await bob.does('calls/c1/connected')
  await alice.hearsAll('call.accepted', 'call.connected')
  return [alice, bob]
}

flow('a device is gone and comes back within the grace', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.leaves()
  await scenario.pass(4_000)
  t.match(await alice.call('c1'), { state: 'connected' })
  await scenario.pass(3_000)
  const away = await alice.hears('call.peer_away')
  t.match(away, { device: bob.endpoint })
  const left = Number(away.expiresInMs)
  t.ok(left > 22_000 && left <= 25_000, `${left} ms of the grace are left`)
  await alice.does('calls/c1/offer', { sdp: sdp('aliceA') })
  bob.goesTo(0)
  await bob.listens()
  await bob.hears('signal.offer')
  t.match(await alice.hears('call.peer_back'), { device: bob.endpoint })
  await scenario.pass(40_000)
  t.match(await alice.call('c1'), { state: 'connected' }, 'and nobody is missed any more')
  await alice.does('calls/c1/hangup')
  await bob.hears('call.ended')
})

flow('a change of networks within a moment goes unnoticed', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  for (let i = 0; i < 3; i++) {
    await bob.leaves()
    await scenario.pass(3_000)
    await bob.listens()
    await scenario.pass(3_000)
  }
  await bob.does('calls/c1/hangup')
  t.match(await alice.hears('call.ended'), { reason: 'hangup' }, 'the very next thing alice hears')
})

flow('a device that does not come back loses the call', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.leaves()
  await scenario.pass(33_000)
  t.match(await alice.hears('call.peer_away'), { device: bob.endpoint })
  t.match(await alice.hears('call.ended'), { reason: 'lost', endedBy: bob.endpoint })
  await bob.listens()
  t.match(await bob.hears('call.ended'), { reason: 'lost', endedBy: bob.endpoint }, 'it reads of it when it comes back')
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('when both are gone the call ends all the same', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await alice.leaves()
  await scenario.pass(1_000)
  await bob.leaves()
  await scenario.pass(33_000)
  t.match(await bob.call('c1'), { state: 'ended', reason: 'lost', endedBy: alice.endpoint })
  for (const client of [alice, bob]) {
    await client.listens()
    await client.hearsAll('call.peer_away', 'call.ended')
  }
})

flow('a device without a stream lives by its posts and its polls', async (t, scenario) => {
  const [alice, bob] = await talk(scenario)
  await bob.leaves()
  for (let i = 0; i < 10; i++) {
    await scenario.pass(4_000)
    if (i % 2 === 0) await bob.polls()
    else await bob.ask('PUT', 'presence', {})
  }
  await bob.does('calls/c1/hangup')
  t.match(await alice.hears('call.ended'), { reason: 'hangup' })
})
