// A lease that is claimed a moment too late: the call has ended meanwhile, on another node. Nobody stays busy for it, and the answer says so.
// On a Cluster a lease is claimed before the call is looked at, on one server a merge does that.
import t from 'tap'
import { openProxiedStage, openStage } from '../helpers/own-stage.js'

t.test('a create that would be merged into a call which ends in that moment rings, and holds one lease', async t => {
  const { stage, proxy } = await openProxiedStage(t)
  const [alice, bob] = await stage.enterBoth()
  await alice.does('calls', { callId: 'a1', to: 'bob' })
  await bob.hears('call.incoming')
  // The script that takes one lease: its only key is that of bob's leases.
  const held = proxy.hold(new RegExp(`\r\n1\r\n\\$\\d+\r\n\\S+:leases:${stage.marked('bob')}`))
  const asked = bob.does('calls', { callId: 'b1', to: 'alice' })
  const { release } = await held
  await alice.does('calls/a1/cancel')
  await bob.hears('call.ended')
  release()
  t.match(await asked, { resolution: 'created', call: { callId: 'b1', state: 'ringing' } })
  await alice.hears('call.incoming')
  t.equal((await stage.store.leases.list(stage.marked('bob'))).length, 1)
  await bob.does('calls/b1/cancel')
  await alice.hears('call.ended')
  t.same(await stage.store.leases.list(stage.marked('bob')), [])
})

for (const isCluster of [false, true]) {
  const name = isCluster ? 'a Cluster' : 'one server'
  t.test(`an accept of a call that has ended is told so, also by a node that has not heard, on ${name}`, async t => {
    const { stage } = await openStage(t, { cluster: isCluster })
    const [alice, bob] = await stage.enterBoth()
    const carol = await stage.enter('carol', 'phone')
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
    bob.goesTo(stage.far)
    t.match(await bob.isRefused('call_ended', 'calls/c1/accept'), { currentState: 'ended' })
    await bob.does('calls/c2/hangup')
    await carol.hears('call.ended')
    t.same(await stage.store.leases.list(stage.marked('bob')), [])
  })
}
