// A Redis that restarts or fails over may lack what it acknowledged: every device that it keeps is told by one reset, however it
// receives its events (G9), and goes on from there.
import t from 'tap'
import { failOver } from '../helpers/forgetting.js'
import { openScenario } from '../helpers/own-redis.js'
import { openSse } from '../helpers/sse.js'
import { until } from '../helpers/until.js'

t.test('streams, waiting polls and those who resume are reset once when Redis fails over', async t => {
  const { scenario, redis } = await openScenario(t)
  const [alice, bob] = [await scenario.enter('alice', 'phone'), await scenario.enter('bob', 'laptop', { silent: true })]
  const carol = await scenario.enter('carol', 'tablet', { node: scenario.far })
  const away = carol.cursor
  await carol.leaves()
  await bob.polls()
  bob.goesTo(scenario.far)
  const waiting = bob.ask('GET', `events/poll?cursor=${bob.cursor}&wait=25`)
  await until('bob waits', () => scenario.cluster.waitingPolls() === 1)
  await failOver(redis.port)

  t.match(await alice.isReset(), { reason: 'unknown', snapshot: '/v1/snapshot' })
  const { events, cursor } = (await waiting).body as { events: { type: string; data: object }[]; cursor: string }
  t.match(events, [{ type: 'reset', data: { reason: 'unknown', cursor } }])
  const again = await bob.ask('GET', `events/poll?cursor=${cursor}&wait=0`)
  t.same(again.body.events, [], 'once')
  const stream = await openSse(`${scenario.urlOf(0)}/v1/events?cursor=${away}`, carol.credentials)
  t.match(await stream.next(), { type: 'reset', data: { reason: 'unknown' } })
  await alice.does('calls', { callId: 'c1', to: 'carol' })
  t.match(await stream.next('call.incoming'), { type: 'call.incoming' }, 'and is live')
  await stream.close()
  const resumed = await openSse(`${scenario.urlOf(0)}/v1/events?cursor=${stream.lastEventId}`, carol.credentials)
  t.equal((await resumed.next()).type, 'caught-up', 'once')
  await resumed.close()
})
