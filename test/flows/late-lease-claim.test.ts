// A lease that is claimed a moment too late: the call has ended meanwhile, on another node. Nobody stays busy for it, and the answer says so.
// On a Cluster a lease is claimed before the call is looked at, on one server a merge does that.
import t from 'tap'
import { openProxiedScenario, openScenario } from '../helpers/own-redis.js'

t.test('a create that would be merged into a call which ends in that moment rings, and holds one lease', async t => {
  const { scenario, proxy } = await openProxiedScenario(t)
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'a1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  // The script that takes one lease: its only key is that of bob's leases.
  const held = proxy.hold(new RegExp(`\r\n1\r\n\\$\\d+\r\n\\S+:leases:${scenario.toWire('bob')}`))
  const asked = bob.post('calls', { callId: 'b1', to: 'alice' })
  const { release } = await held
  await alice.post('calls/a1/cancel')
  await bob.expectEvent('call.ended')
  release()
  t.match(await asked, { resolution: 'created', call: { callId: 'b1', state: 'ringing' } })
  await alice.expectEvent('call.incoming')
  t.equal((await scenario.store.leases.list(scenario.toWire('bob'))).length, 1)
  await bob.post('calls/b1/cancel')
  await alice.expectEvent('call.ended')
  t.same(await scenario.store.leases.list(scenario.toWire('bob')), [])
})

for (const isCluster of [false, true]) {
  const name = isCluster ? 'a Cluster' : 'one server'
  t.test(`an accept of a call that has ended is told so, also by a node that has not heard, on ${name}`, async t => {
    const { scenario } = await openScenario(t, { cluster: isCluster })
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/ringing')
    await alice.expectEvent('call.ringing')
    await alice.post('calls/c1/cancel')
    await bob.expectEvent('call.ended')
    await carol.post('calls', { callId: 'c2', to: 'bob' })
    await bob.expectEvent('call.incoming')
    bob.useNode(0)
    await bob.post('calls/c2/accept')
    await carol.expectEvent('call.accepted')
    bob.useNode(scenario.lastNode)
    t.match(await bob.expectRefusal('call_ended', 'calls/c1/accept'), { currentState: 'ended' })
    await bob.post('calls/c2/hangup')
    await carol.expectEvent('call.ended')
    t.same(await scenario.store.leases.list(scenario.toWire('bob')), [])
  })
}
