// A lease that is claimed a moment too late: the call has ended meanwhile, on another node. Nobody stays busy for it, and the answer says so.
// On a Cluster a lease is claimed before the call is looked at, on one server a merge does that.
import t from 'tap'
import { openProxiedScenario, openScenario } from '../helpers/own-redis.js'

t.test('a create that would be merged into a call which ends in that moment rings, and holds one lease', async t => {
  const { scenario, proxy } = await openProxiedScenario(t)
  const [alice, bob] = await scenario.enterBoth()
  await alice.does('calls', { callId: 'a1', to: 'bob' })
  await bob.hears('call.incoming')
  // The script that takes one lease: its only key is that of bob's leases.
  const held = proxy.hold(new RegExp(`\r\n1\r\n\\$\\d+\r\n\\S+:leases:${scenario.marked('bob')}`))
  const asked = bob.does('calls', { callId: 'b1', to: 'alice' })
  const { release } = await held
  await alice.does('calls/a1/cancel')
  await bob.hears('call.ended')
  release()
  t.match(await asked, { resolution: 'created', call: { callId: 'b1', state: 'ringing' } })
  await alice.hears('call.incoming')
  t.equal((await scenario.store.leases.list(scenario.marked('bob'))).length, 1)
  await bob.does('calls/b1/cancel')
  await alice.hears('call.ended')
  t.same(await scenario.store.leases.list(scenario.marked('bob')), [])
})

for (const isCluster of [false, true]) {
  const name = isCluster ? 'a Cluster' : 'one server'
  t.test(`an accept of a call that has ended is told so, also by a node that has not heard, on ${name}`, async t => {
    const { scenario } = await openScenario(t, { cluster: isCluster })
    const [alice, bob] = await scenario.enterBoth()
    const carol = await scenario.enter('carol', 'phone')
    await alice.does('calls', { callId: 'c1', to: 'bob' })
    await bob.hears('call.incoming')
    await bob.does('calls/c1/ringing')
    await alice.hears('call.ringing')
    await alice.does('calls/c1/cancel')
    await bob.hears('call.ended')
    await carol.does('calls', { callId: 'c2', to: 'bob' })
    await bob.hears('call.incoming')
    bob.goesTo(0)
    await bob.does('calls/c2/accept')
    await carol.hears('call.accepted')
    bob.goesTo(scenario.far)
    t.match(await bob.isRefused('call_ended', 'calls/c1/accept'), { currentState: 'ended' })
    await bob.does('calls/c2/hangup')
    await carol.hears('call.ended')
    t.same(await scenario.store.leases.list(scenario.marked('bob')), [])
  })
}
