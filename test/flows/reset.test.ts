// A Redis that restarts or fails over may lack what it acknowledged: every device that it keeps is told by one reset, however it
// receives its events (G9), and goes on from there.
import t from 'tap'
import { failOver } from '../helpers/forgetting.js'
import { House, SETTINGS } from '../helpers/house.js'
import { startRedis } from '../helpers/redis.js'
import { openSse } from '../helpers/sse.js'
import { Stage } from '../helpers/stage.js'
import { until } from '../helpers/until.js'

const TWO_NODES = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 2)

for (const setting of TWO_NODES) {
  t.test('streams, waiting polls and those who resume are reset once when Redis fails over', async t => {
    const redis = await startRedis()
    const house = await House.open(setting, {}, redis)
    const stage = new Stage(house)
    t.teardown(async () => {
      await stage.clear()
      await house.close()
      await redis.stop()
    })
    const [alice, bob] = [await stage.enter('alice', 'phone'), await stage.enter('bob', 'laptop', { silent: true })]
    const carol = await stage.enter('carol', 'tablet', { node: stage.far })
    const away = carol.cursor
    await carol.leaves()
    await bob.polls()
    bob.goesTo(stage.far)
    const waiting = bob.ask('GET', `events/poll?cursor=${bob.cursor}&wait=25`)
    await until('bob waits', () => house.waitingPolls() === 1)
    await failOver(redis.port)

    t.match(await alice.isReset(), { reason: 'unknown', snapshot: '/v1/snapshot' })
    const { events, cursor } = (await waiting).body as { events: { type: string; data: object }[]; cursor: string }
    t.match(events, [{ type: 'reset', data: { reason: 'unknown', cursor } }])
    const again = await bob.ask('GET', `events/poll?cursor=${cursor}&wait=0`)
    t.same(again.body.events, [], 'once')
    const stream = await openSse(`${stage.urlOf(0)}/v1/events?cursor=${away}`, carol.credentials)
    t.match(await stream.next(), { type: 'reset', data: { reason: 'unknown' } })
    await alice.does('calls', { callId: 'c1', to: 'carol' })
    t.match(await stream.next('call.incoming'), { type: 'call.incoming' }, 'and is live')
    await stream.close()
    const resumed = await openSse(`${stage.urlOf(0)}/v1/events?cursor=${stream.lastEventId}`, carol.credentials)
    t.equal((await resumed.next()).type, 'caught-up', 'once')
    await resumed.close()
  })
}
