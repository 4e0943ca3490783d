// A Cluster keeps a call on one primary and its users on others. When only the call's primary may have lost writes, the mailboxes of its users
// have the old epoch: the nodes send a reset to the devices that are connected to them.
import t from 'tap'
import { partitionOf } from '../../src/store/partition.js'
import { slotOf } from '../../src/store/redis/keys.js'
import { changeReplicationId, deleteKeys } from '../helpers/lost-keys.js'
import { startCluster } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'

const PRIMARIES = 2
const TWO_NODES = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 2)
const primaryOf = (id: string) => Math.floor((slotOf(partitionOf(id)) * PRIMARIES) / 16_384)

for (const setting of TWO_NODES) {
  t.test(
    'when the primary of a call fails over, its users get a reset, and a call that it has lost ends for both',
    async t => {
      const redisCluster = await startCluster(PRIMARIES, 0)
      const [first] = redisCluster.nodes
      if (!first) throw new TypeError('no primary')
      const cluster = await TestCluster.open(setting, {}, { ...first, url: redisCluster.url })
      const scenario = new Scenario(cluster)
      t.teardown(async () => {
        await scenario.closeStreams()
        await cluster.close()
        await redisCluster.stop()
      })
      const names = Array.from({ length: 64 }, (_, n) => `n${n}`)
      const at = (primary: number) => names.filter(name => primaryOf(scenario.toWire(name)) === primary)
      const [caller = '', callee = ''] = at(1)
      const [kept = '', gone = ''] = at(0)
      const alice = await scenario.addClient(caller, 'phone')
      const bob = await scenario.addClient(callee, 'laptop', { node: scenario.lastNode })
      for (const callId of [gone, kept]) {
        await alice.post('calls', { callId, to: callee })
        await bob.expectEvent('call.incoming')
        if (callId === kept) break
        await alice.post(`calls/${callId}/cancel`)
        await bob.expectEvent('call.ended')
      }
      await changeReplicationId(first.port)
      for (const client of [alice, bob]) t.match(await client.expectReset(), { reason: 'unknown' })
      t.same(await alice.activeCalls(), [kept], 'the call is live')
      // After this time the leases cannot belong to a create that is still running.
      await scenario.advance(2_500)
      await deleteKeys(`redis://127.0.0.1:${first.port}`, `*call:${scenario.toKey(kept)}`)
      await changeReplicationId(first.port)
      for (const client of [alice, bob]) {
        t.match(await client.expectEvent('call.ended'), { callId: kept, reason: 'server' })
        await client.expectReset()
      }
      t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
    }
  )
}
