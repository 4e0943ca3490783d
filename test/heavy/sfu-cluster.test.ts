// Media of a room on a Redis Cluster of three primaries: the room lies on one of them, its participants and the index of a media service on
// others.
import t from 'tap'
import { partitionOf } from '../../src/store/partition.js'
import { slotOf } from '../../src/store/redis/keys.js'
import { closeMedia, connect, passUntil, serviceWith, sessionIn, startMedia } from '../helpers/media-fixture.js'
import type { TestMediaService } from '../helpers/media-service.js'
import { startCluster } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { type MediaClient, meetInSfu } from '../helpers/sfu.js'
import { TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const PRIMARIES = 3
const primaryOf = (id: string) => Math.floor((slotOf(partitionOf(id)) * PRIMARIES) / 16_384)

const redis = await startCluster(PRIMARIES, 0)
const media = await startMedia(2)
const setting = { name: 'Redis Cluster, two nodes', engine: 'redis', nodes: 2 } as const
const [first] = redis.nodes
if (!first) throw new Error('the Cluster has no primary')
const cluster = await TestCluster.open(setting, media.env, { ...first, url: redis.url })
const scenario = new Scenario(cluster)
t.teardown(async () => {
  await scenario.closeStreams()
  await cluster.close()
  await closeMedia(media)
  await redis.stop()
})

/** A room on another primary than alice. */
const room = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8'].find(
  name => primaryOf(scenario.toWire(name)) !== primaryOf(scenario.toWire('alice'))
)

const isListed = async (owner: string): Promise<boolean> =>
  (await scenario.store.mediaRooms.list(owner, scenario.now())).includes(scenario.toWire(String(room)))

/** Advances the clock until all have received it. */
async function expectAll(clients: readonly MediaClient[], type: string): Promise<Record<string, unknown>[]> {
  let isDone = false
  const received = Promise.all(clients.map(({ who }) => who.expectEvent(type))).finally(() => {
    isDone = true
  })
  while (!isDone) await scenario.advance(125)
  return received
}

async function sessionOf(client: MediaClient): Promise<string> {
  return String((await scenario.advanceDuring(client.request('GET', 'capabilities'))).body.sessionId)
}

const other = (service: TestMediaService) => media.services.find(each => each !== service) as TestMediaService

/** One sends and the other one receives, in the session of now. */
async function exchange(sender: MediaClient, receiver: MediaClient): Promise<void> {
  t.equal((await sender.produce('camera')).status, 201)
  t.equal((await sender.produceData('chat')).status, 201)
  t.match(await receiver.who.expectEvent('sfu.producer_added'), { producer: { producerId: 'camera' } })
  t.match(await receiver.who.expectEvent('sfu.data_producer_added'), { dataProducer: { dataProducerId: 'chat' } })
  t.equal((await receiver.consume('c', sender, 'camera')).status, 201)
  t.equal((await receiver.consumeData('d', sender, 'chat')).status, 201)
}

t.test('media is exchanged, moves with its service, falls back to p2p and returns, and ends with the room', async t => {
  await connect(scenario, media)
  const [alice, bob] = await meetInSfu(scenario, room)
  const both = [alice, bob]
  await exchange(alice, bob)

  const former = await sessionOf(bob)
  const service = serviceWith(media, former)
  t.ok(await isListed(service.name), 'the room is in the index of its service')
  const lost = { type: 'transport_closed', participantId: alice.id, transportId: 'send', reason: 'ice_failed' }
  await service.push(sessionIn(service, former), [lost])
  for (const type of ['sfu.producer_closed', 'sfu.data_producer_closed']) await expectAll(both, type)
  await alice.who.expectEvent('sfu.transport_closed')

  const reconnect = service.disconnect()
  const [reset] = await expectAll(both, 'sfu.reset')
  await until('the other service has the session', () => other(service).sessions.has(String(reset?.sessionId)))
  reconnect()
  await service.confirm(former)
  t.notOk(service.sessions.has(former), 'the room does not use it any more')
  for (const client of both) await client.openTransports()
  await exchange(bob, alice)

  for (const each of media.services) each.kill()
  await expectAll(both, 'sfu.unavailable')
  t.match(await expectAll(both, 'room.updated'), [{ changes: { mode: 'p2p' } }, { changes: { mode: 'p2p' } }])
  t.ok(await isListed('waiting'), 'the room is in the index of those that wait for a service')
  for (const each of media.services) each.restart()
  await expectAll(both, 'room.updated')
  const [available] = await expectAll(both, 'sfu.available')
  t.equal(await sessionOf(alice), available?.sessionId)
  for (const client of both) await client.openTransports()
  await exchange(alice, bob)

  const current = String(available?.sessionId)
  const { participants } = sessionIn(serviceWith(media, current), current)
  t.equal((await bob.who.request('DELETE', `rooms/${room}/participants/${bob.id}`)).status, 204)
  await alice.who.expectEvent('room.participant_left')
  await until('the service has closed what bob had', () => !participants.has(bob.id))
  t.equal((await alice.who.request('DELETE', `rooms/${room}`)).status, 204)
  await passUntil(scenario, 'the session is deleted', () => media.services.every(({ sessions }) => sessions.size === 0))
  await scenario.checkMailboxes(t)
})
