// With REDIS_WAIT_REPLICAS a 2xx waits until a replica has the write, so that a failover to it loses no acknowledged write.
import { Redis } from 'ioredis'
import t from 'tap'
import { startServer } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const ONE_NODE = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 1)

for (const setting of ONE_NODE) {
  t.test('a write gets 2xx when a replica has it, and a retryable 503 if none has it in time', async t => {
    const primary = await startServer()
    const replica = await startServer({ primary: primary.port })
    const cluster = await TestCluster.open(setting, { REDIS_WAIT_REPLICAS: '1' }, primary)
    const scenario = new Scenario(cluster)
    const client = new Redis(replica.port)
    t.teardown(async () => {
      client.disconnect()
      await scenario.closeStreams()
      await cluster.close()
      await replica.stop()
      await primary.stop()
    })
    await until('the replica is in sync', async () =>
      (await client.info('replication')).includes('master_link_status:up')
    )
    const [alice] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    t.ok((await client.keys('*state:call:c1*')).length > 0, 'the replica has the call when the reply arrives')
    replica.pause()
    const refused = await alice.request('POST', 'calls/c1/cancel', {})
    t.match(refused, { status: 503, body: { code: 'store_unavailable', retryable: true } })
    t.equal((await alice.request('GET', 'calls/c1')).status, 200, 'a read does not wait')
    replica.resume()
    await until('writes succeed again', async () => (await alice.request('POST', 'calls/c1/cancel', {})).status === 200)
  })
}
