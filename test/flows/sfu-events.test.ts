// What the media service reports: events of producers, consumers and transports, and notices.
import assert from 'node:assert/strict'
import t from 'tap'
import type { Session } from '../helpers/media-sessions.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { meetInSfu, startMediaService } from '../helpers/sfu.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

/** The session of the room; the service pushes to both nodes in turn. */
function sessionOf(scenario: Scenario): Session {
  service.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
  const [session] = service.sessionsOf(scenario.toWire('r1'))
  assert.ok(session)
  return session
}

flow(
  'what the media service closes or pauses is announced: producers to all, consumers and transports to their owner',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const session = sessionOf(scenario)
    for (const id of ['a', 'b', 'c']) await alice.produce(id)
    await alice.produceData('d')
    await bob.who.expectEvents(...Array.from({ length: 3 }, () => 'sfu.producer_added'), 'sfu.data_producer_added')
    await bob.consume('c1', alice, 'a')
    const ofAlice = { participantId: alice.id }
    await service.push(session, [{ type: 'producer_paused', ...ofAlice, producerId: 'a' }])
    await service.push(session, [
      { type: 'producer_resumed', ...ofAlice, producerId: 'a' },
      { type: 'producer_closed', ...ofAlice, producerId: 'b' },
      { type: 'producer_closed', ...ofAlice, producerId: 'unknown' }
    ])
    for (const { who } of [alice, bob]) {
      t.match(await who.expectEvent('sfu.producer_paused'), { ...ofAlice, producerId: 'a', by: null })
      t.match(await who.expectEvent('sfu.producer_resumed'), { ...ofAlice, producerId: 'a', by: null })
      t.match(await who.expectEvent('sfu.producer_closed'), { ...ofAlice, producerId: 'b', by: null })
    }
    const consumer = { participantId: bob.id, consumerId: 'c1' }
    const layers = { spatialLayer: 1, temporalLayer: 2 }
    await service.push(session, [
      { type: 'consumer_layers_changed', ...consumer, layers: { ...layers, future: 1 }, future: 2 },
      { type: 'consumer_paused', ...consumer },
      { type: 'consumer_resumed', ...consumer },
      { type: 'consumer_closed', ...consumer }
    ])
    t.strictSame((await bob.who.expectEvent('sfu.consumer_layers_changed')).layers, layers)
    for (const end of ['paused', 'resumed', 'closed'])
      t.match(await bob.who.expectEvent(`sfu.consumer_${end}`), consumer)
    await service.push(session, [{ type: 'transport_closed', ...ofAlice, transportId: 'send', reason: 'ice_failed' }])
    for (const { who } of [alice, bob])
      await who.expectEvents('sfu.producer_closed', 'sfu.producer_closed', 'sfu.data_producer_closed')
    t.match(await alice.who.expectEvent('sfu.transport_closed'), { transportId: 'send', reason: 'ice_failed' })
    t.strictSame(await bob.sent(), [])
  },
  { env }
)

flow(
  'who speaks, and how good a stream is, are sent at once and then at most once a second, the last one last',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const session = sessionOf(scenario)
    // Each node holds its own notices back.
    service.signalpost = [scenario.urlOf(0)]
    const speaks = (participantId: string | null) => ({ type: 'active_speaker', participantId })
    const score = (value: number) => ({ type: 'score', participantId: bob.id, consumerId: 'c1', score: value })
    await service.push(session, [], [speaks(alice.id), score(10)])
    for (const { who } of [alice, bob])
      t.strictSame(await who.expectNotice('sfu.active_speaker'), { roomId: 'r1', participantId: alice.id })
    t.strictSame(await bob.who.expectNotice('sfu.score'), {
      ...{ roomId: 'r1', participantId: bob.id, consumerId: 'c1' },
      score: 10
    })
    for (const participantId of [bob.id, alice.id, bob.id, null])
      await service.push(session, [], [speaks(participantId)])
    await scenario.cluster.settle()
    await scenario.advance(1000)
    for (const { who } of [alice, bob])
      t.strictSame(await who.expectNotice('sfu.active_speaker'), { roomId: 'r1', participantId: null })
    await service.push(session, [], [{ type: 'score', participantId: alice.id, producerId: 'camera', score: 3 }])
    t.match(await alice.who.expectNotice('sfu.score'), { producerId: 'camera', score: 3 })
  },
  { env, ownCluster: true }
)
