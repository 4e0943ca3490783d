// The primary behind Sentinel is killed twice during a call. The nodes are not ready until they have found the new primary, and the call goes on.
import assert from 'node:assert/strict'
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { candidates, sdp } from '../helpers/sdp.js'
import { startSentinels } from '../helpers/sentinel.js'
import { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const NODES = [0, 1]

/**
 * Repeats a request while the store is unavailable, as clients do. The Sentinels announce a failover one after the other, and a node
 * reconnects at each announcement, also if it has found the new primary already.
 */
async function postUntilDone(client: TestClient, path: string, body?: object): Promise<void> {
  await until(`${path} is done`, async () => {
    const { status, body: reply } = await client.request('POST', path, body)
    assert.ok(status < 300 || reply.code === 'store_unavailable', `${path}: ${status} ${reply.code}`)
    return status < 300
  })
}

t.test('a call goes on after its primary was killed twice', async t => {
  const sentinels = await startSentinels(2)
  const fleet = await Fleet.launch(NODES.length, sentinels)
  t.teardown(() => fleet.stop())
  const alice = await TestClient.create(fleet, { user: 'alice', device: 'phone', node: 0 })
  const bob = await TestClient.create(fleet, { user: 'bob', device: 'laptop', node: 1 })
  for (const client of [alice, bob]) {
    await client.openStream()
    t.teardown(() => client.closeStream())
  }
  const ready = () => Promise.all(NODES.map(node => fleet.isReady(node)))
  const changeReplicationId = async (replicas: number) => {
    await sentinels.settle(replicas)
    await (await sentinels.primary()).kill()
    await until('no node is ready', async () => !(await ready()).includes(true))
    await alice.expectRefusal('store_unavailable', 'calls/c1/candidates', { candidates: candidates(1, 'aliceA') })
    await until('all nodes are ready', async () => !(await ready()).includes(false), 30_000)
    for (const client of [alice, bob]) t.match(await client.expectReset(), { reason: 'unknown' })
  }

  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await changeReplicationId(2)
  await postUntilDone(bob, 'calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await postUntilDone(alice, 'calls/c1/offer', { sdp: sdp('aliceA') })
  await bob.expectEvent('signal.offer')
  await changeReplicationId(1)
  await postUntilDone(bob, 'calls/c1/answer', { sdp: sdp('bobA') })
  await alice.expectEvent('signal.answer')
  await postUntilDone(alice, 'calls/c1/candidates', { candidates: candidates(2, 'aliceA') })
  t.match(await bob.expectEvent('signal.candidates'), { candidates: candidates(2, 'aliceA') })
  await postUntilDone(bob, 'calls/c1/hangup')
  t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' })
  for (const client of [alice, bob]) await client.checkMailbox(t)
})
