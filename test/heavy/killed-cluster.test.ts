// Nodes on a Cluster share the timers. When a node is killed, calls that ring end in time, whichever node read their timers.
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { startCluster } from '../helpers/redis.js'
import { TestClient } from '../helpers/test-client.js'

const RING_MS = 2_000
/** A deadline fires within a second; the rest is for a busy machine. */
const LATE_MS = 1_500
const PAIRS = 6

const fleet = await Fleet.launch(2, await startCluster(3, 0), { RING_TIMEOUT_MS: `${RING_MS}` })
t.teardown(() => fleet.stop())

for (const [victim, survivor] of [
  [0, 1],
  [1, 0]
] as const) {
  t.test(`when node ${victim} is killed, calls that it created and that still ring end in time`, async t => {
    if (victim === 1) await fleet.start(survivor)
    const callers: TestClient[] = []
    for (let n = 0; n < PAIRS; n++) {
      const [alice, bob] = await Promise.all(
        ['alice', 'bob'].map(name =>
          TestClient.create(fleet, { user: `${name}${victim}-${n}`, device: 'd', node: survivor })
        )
      )
      if (!alice || !bob) throw new TypeError('no clients')
      await Promise.all([alice.openStream(), bob.openStream()])
      alice.useNode(victim)
      await alice.post('calls', { callId: `c${victim}-${n}`, to: bob.user })
      callers.push(alice)
    }
    const ringingSince = Date.now()
    await fleet.kill(victim)
    for (const alice of callers) {
      alice.useNode(survivor)
      t.match(await alice.expectEvent('call.ended'), { reason: 'no_answer' })
    }
    const lateMs = Date.now() - ringingSince - RING_MS
    t.ok(lateMs < LATE_MS, `${lateMs} ms late`)
    for (const alice of callers) t.same(await alice.activeCalls(), [])
  })
}
