// A Cluster keeps a call on one primary and its users on others. When only the call's may have forgotten something, its users' mailboxes
// do not know: the nodes tell the devices that are connected to them.
import t from 'tap'
import { partitionOf } from '../../src/store/partition.js'
import { slotOf } from '../../src/store/redis/keys.js'
import { failOver, forgetKeys } from '../helpers/forgetting.js'
import { startCluster } from '../helpers/redis.js'
import { Stage } from '../helpers/scenario.js'
import { House, SETTINGS } from '../helpers/test-cluster.js'

const PRIMARIES = 2
const TWO_NODES = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 2)
const primaryOf = (id: string) => Math.floor((slotOf(partitionOf(id)) * PRIMARIES) / 16_384)

for (const setting of TWO_NODES) {
  t.test(
    'users whose call lies on a primary that failed over are reset, and a call that it forgot ends for both',
    async t => {
      const cluster = await startCluster(PRIMARIES, 0)
      const [first] = cluster.nodes
      if (!first) throw new Error('there is a primary')
      const house = await House.open(setting, {}, { ...first, url: cluster.url })
      const stage = new Stage(house)
      t.teardown(async () => {
        await stage.clear()
        await house.close()
        await cluster.stop()
      })
      const names = Array.from({ length: 64 }, (_, n) => `n${n}`)
      const at = (primary: number) => names.filter(name => primaryOf(stage.marked(name)) === primary)
      const [caller = '', callee = ''] = at(1)
      const [kept = '', gone = ''] = at(0)
      const alice = await stage.enter(caller, 'phone')
      const bob = await stage.enter(callee, 'laptop', { node: stage.far })
      for (const callId of [gone, kept]) {
        await alice.does('calls', { callId, to: callee })
        await bob.hears('call.incoming')
        if (callId === kept) break
        await alice.does(`calls/${callId}/cancel`)
        await bob.hears('call.ended')
      }
      await failOver(first.port)
      for (const person of [alice, bob]) t.match(await person.isReset(), { reason: 'unknown' })
      t.same(await alice.activeCalls(), [kept], 'it stands')
      // Older than a create that may be at work.
      await stage.pass(2_500)
      await forgetKeys(`redis://127.0.0.1:${first.port}`, `*call:${stage.marked(kept)}`)
      await failOver(first.port)
      for (const person of [alice, bob]) {
        t.match(await person.hears('call.ended'), { callId: kept, reason: 'server' })
        await person.isReset()
      }
      t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
    }
  )
}
