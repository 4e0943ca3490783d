// Redis refuses the commit of a create and accepts the writes after it: the reply is 503, a tombstone is written, and a retry with the same
// id creates the call.
import { Redis } from 'ioredis'
import t from 'tap'
import { openProxiedScenario } from '../helpers/own-redis.js'
import type { TestClient } from '../helpers/test-client.js'
import { SETTINGS } from '../helpers/test-cluster.js'

for (const setting of SETTINGS.filter(({ engine }) => engine === 'redis')) {
  t.test(`the retry of a create whose commit failed creates the call, ${setting.name}`, async t => {
    const { scenario, redis: server, proxy } = await openProxiedScenario(t, { setting })
    const redis = new Redis(server.port)
    t.teardown(() => redis.disconnect())
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    const leasesOf = async ({ user }: TestClient) =>
      (await scenario.store.leases.list(scenario.toWire(user))).map(each => each.kind)
    /** Redis refuses the commit of the call, and accepts the tombstone. */
    const refuseCommit = async (isRetry: boolean) => {
      let commit = await proxy.hold('"phase":"ringing"')
      if (isRetry) {
        // The first commit expects no record and conflicts with the tombstone of the failed attempt.
        const second = proxy.hold('"phase":"ringing"')
        commit.release()
        commit = await second
      }
      await redis.config('SET', 'min-replicas-to-write', 1)
      const held = proxy.hold('"code":"failed"')
      commit.release()
      const tombstone = await held
      await redis.config('SET', 'min-replicas-to-write', 0)
      tombstone.release()
    }
    const failOnce = async (callId: string, { isRetry = false } = {}) => {
      const [reply] = await Promise.all([alice.request('POST', 'calls', { callId, to: 'bob' }), refuseCommit(isRetry)])
      t.match(reply, { status: 503, body: { code: /^store_/, retryable: true } })
      for (const client of [alice, bob]) t.same(await leasesOf(client), [], `${client.user} has no lease`)
      t.same(await alice.activeCalls(), [])
      t.equal((await alice.request('GET', `calls/${callId}`)).body.code, 'call_not_found')
    }

    await failOnce('c1')
    alice.useNode(scenario.lastNode)
    await failOnce('c1', { isRetry: true })
    alice.useNode(0)
    t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), { resolution: 'created', delivery: { online: 1 } })
    t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), { resolution: 'existing' })
    // The failed attempts have sent no event.
    t.match(await bob.expectEvent('call.incoming'), { callId: 'c1', version: 3 })
    t.same([await leasesOf(alice), await leasesOf(bob)], [['active'], ['ringing']])
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    t.same([await leasesOf(alice), await leasesOf(bob)], [[], []])

    await failOnce('c2')
    t.match(await alice.post('calls', { callId: 'c2', to: 'carol' }), { resolution: 'created' })
    await carol.expectEvent('call.incoming')
    await alice.post('calls/c2/cancel')
    await carol.expectEvent('call.ended')

    await failOnce('c3')
    t.match(await alice.post('calls/c3/cancel'), { call: { state: 'ended', reason: 'cancelled' } })
    const late = await alice.post('calls', { callId: 'c3', to: 'bob' })
    t.match(
      late,
      { resolution: 'existing', call: { state: 'ended', reason: 'cancelled' } },
      'the cancel prevents the retry'
    )
    for (const client of [alice, bob, carol]) t.same(await leasesOf(client), [])
    await scenario.checkMailboxes(t)
  })
}
