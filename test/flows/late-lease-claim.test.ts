// A lease is claimed after its call has ended on another node. It is released, and the reply is call_ended. On a Cluster an accept claims the
// lease before it reads the call; on one server only a glare merge does.
import t from 'tap'
import { openProxiedScenario, openScenario } from '../helpers/own-redis.js'

t.test('a create that would merge into a call that ends at the same moment rings, and has one lease', async t => {
  const { scenario, proxy } = await openProxiedScenario(t)
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'a1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  // The script that takes one lease: its only key is that of bob's leases.
  const held = proxy.hold(new RegExp(`\r\n1\r\n\\$\\d+\r\n\\S+:leases:${scenario.toKey('bob')}`, 'i'))
  const created = bob.post('calls', { callId: 'b1', to: 'alice' })
  const { release } = await held
  await alice.post('calls/a1/cancel')
  await bob.expectEvent('call.ended')
  release()
  t.match(await created, { resolution: 'created', call: { callId: 'b1', state: 'ringing' } })
  await alice.expectEvent('call.incoming')
  t.equal((await scenario.store.leases.list(scenario.toWire('bob'))).length, 1)
  await bob.post('calls/b1/cancel')
  await alice.expectEvent('call.ended')
  t.same(await scenario.store.leases.list(scenario.toWire('bob')), [])
})

for (const isCluster of [false, true]) {
  const name = isCluster ? 'a Cluster' : 'one server'
  t.test(
    `an accept of an ended call is refused with call_ended, also by a node that has the call cached, on ${name}`,
    async t => {
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
    }
  )
}
