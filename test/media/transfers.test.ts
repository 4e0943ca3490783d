// Real peers after a transfer: alice and bob exchange data, bob transfers the call to carol, and alice and carol exchange data over a connection of
// their own, which the old one does not disturb.
import t, { type Test } from 'tap'
import { type Layout, nameOf, startServers } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { exchange, type Link } from './link.js'
import { Peer } from './peer.js'

const LAYOUTS: readonly Layout[] = [{ engine: 'redis', nodes: 2 }, { engine: 'memory' }]

/** Each on the next node. */
async function openPeers(t: Test, layout: Layout): Promise<[alice: Peer, bob: Peer, carol: Peer]> {
  const servers = await startServers(t, layout)
  const join = async (user: string, index: number) => {
    const peer = await Peer.join(user, { url: servers[index % servers.length]?.url ?? '', transport: 'sse' })
    t.teardown(() => peer.leave())
    return peer
  }
  return [await join('alice', 0), await join('bob', 1), await join('carol', 2)]
}

/** Each call has a data channel, on which both have received data. */
async function talk(from: Peer, to: Peer, callId: string): Promise<void> {
  const links = [from, to].map(peer => peer.linkOf(callId)) as [Link, Link]
  for (const link of links) await link.isOpen()
  await exchange(...links, `in ${callId}`)
}

for (const layout of LAYOUTS)
  for (const isCaller of [true, false]) {
    const who = isCaller ? 'caller' : 'callee'
    t.test(`the ${who} transfers on ${nameOf(layout)}`, async t => {
      const [alice, bob, carol] = await openPeers(t, layout)
      const [caller, callee] = isCaller ? [bob, alice] : [alice, bob]
      const callId = await caller.call(isCaller ? 'alice' : 'bob')
      await talk(caller, callee, callId)
      const [before, ofBob] = [alice.linkOf(callId), bob.linkOf(callId)]
      await bob.transfer(callId, { to: 'carol' })
      await alice.receives('call.transferred')
      await talk(alice, carol, callId)
      t.not(alice.linkOf(callId), before)
      await until('bob has closed his connection', () => ofBob.isClosed)
      t.ok(before.isClosed)
      t.match((await bob.receives('call.ended')).data, { reason: 'transferred' })
      await alice.hangUp()
      await carol.receives('call.ended')
    })
  }

for (const layout of LAYOUTS)
  t.test(`an attended transfer on ${nameOf(layout)}: bob talks with both before`, async t => {
    const [alice, bob, carol] = await openPeers(t, layout)
    const callId = await alice.call('bob')
    await talk(alice, bob, callId)
    await Promise.race([alice.receives('call.connected'), bob.receives('call.connected')])
    const other = await bob.call('carol', { consultationOf: callId })
    await talk(bob, carol, other)
    await until('both calls are connected', () =>
      bob.transfer(callId, { toCall: other }).then(
        () => true,
        () => false
      )
    )
    await alice.receives('call.transferred')
    await talk(alice, carol, callId)
    await until('bob has closed both connections', () => [callId, other].every(id => bob.linkOf(id).isClosed))
    await until('carol has closed the old one', () => carol.linkOf(other).isClosed)
    await alice.hangUp()
    await carol.receives('call.ended')
  })
