// A participant whose connection ends for a short time keeps its media.
import t from 'tap'
import { flow } from '../helpers/scenario.js'
import { meetInSfu, startMediaService } from '../helpers/sfu.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

flow(
  'a participant who is back within ROOM_RECONNECT_MS keeps what it has, and receives what has changed meanwhile',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await bob.produce('camera')
    await alice.who.expectEvent('sfu.producer_added')
    await bob.who.closeStream()
    await scenario.waitForStreams(1)
    t.match(await alice.who.expectEvent('room.participant_updated'), { participant: { user: 'bob', away: true } })
    await alice.produce('slides', 'video', { source: 'screen' })
    await scenario.advance(4000)
    await bob.who.openStream()
    t.match(await bob.who.expectEvent('sfu.producer_added'), { producer: { producerId: 'slides', source: 'screen' } })
    t.match(await alice.who.expectEvent('room.participant_updated'), { participant: { user: 'bob', away: false } })
    await scenario.advance(20_000)
    const kept = service.sessionsOf(scenario.toWire('r1'))[0]?.participants.get(bob.id)?.resources
    t.strictSame([...(kept?.transports.keys() ?? [])], ['send', 'receive'])
    t.strictSame([...(kept?.producers.keys() ?? [])], ['camera'])
    t.strictSame(await alice.sent(), ['camera', 'slides'])
    t.equal((await bob.consume('c1', alice, 'slides')).status, 201)
  },
  { env }
)
