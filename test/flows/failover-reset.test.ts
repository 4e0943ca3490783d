// A Redis server that restarts or fails over may lack acknowledged writes: each device on it gets one reset, on whatever transport (G9), and
// continues from there.
import t from 'tap'
import { changeReplicationId } from '../helpers/lost-keys.js'
import { openScenario } from '../helpers/own-redis.js'
import { openSse } from '../helpers/sse.js'
import { until } from '../helpers/until.js'

t.test('after a failover a stream, a waiting poll and a resumed stream each get one reset', async t => {
  const { scenario, redis } = await openScenario(t)
  const [alice, bob] = [
    await scenario.addClient('alice', 'phone'),
    await scenario.addClient('bob', 'laptop', { silent: true })
  ]
  const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  const away = carol.cursor
  await carol.closeStream()
  await bob.poll()
  bob.useNode(scenario.lastNode)
  const waiting = bob.request('GET', `events/poll?cursor=${bob.cursor}&wait=25`)
  await until('bob waits', () => scenario.cluster.waitingPolls() === 1)
  await changeReplicationId(redis.port)

  t.match(await alice.expectReset(), { reason: 'unknown', snapshot: '/v1/snapshot' })
  const { events, cursor } = (await waiting).body as { events: { type: string; data: object }[]; cursor: string }
  t.match(events, [{ type: 'reset', data: { reason: 'unknown', cursor } }])
  const again = await bob.request('GET', `events/poll?cursor=${cursor}&wait=0`)
  t.same(again.body.events, [], 'no second reset')
  const stream = await openSse(`${scenario.urlOf(0)}/v1/events?cursor=${away}`, carol.credentials)
  t.match(await stream.next(), { type: 'reset', data: { reason: 'unknown' } })
  await alice.post('calls', { callId: 'c1', to: 'carol' })
  t.match(await stream.next('call.incoming'), { type: 'call.incoming' }, 'the stream is live after the reset')
  await stream.close()
  const resumed = await openSse(`${scenario.urlOf(0)}/v1/events?cursor=${stream.lastEventId}`, carol.credentials)
  t.equal((await resumed.next()).type, 'caught-up', 'no second reset')
  await resumed.close()
})
