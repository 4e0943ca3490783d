// Three real peers in a room, each on another node, exchange data. One of them disconnects and is back in time, then disconnects for good.
// The data of the others keeps flowing.
import t from 'tap'
import { createToken } from '../../src/development.js'
import { TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'
import { exchange, type Link, startConversation } from './link.js'
import { RoomPeer } from './room-peer.js'

const TRANSPORTS = { alice: 'sse', bob: 'poll', carol: 'sse' } as const

t.test('a mesh through three nodes', async t => {
  const cluster = await TestCluster.open({ name: 'Redis, three nodes', engine: 'redis', nodes: 3 }, {})
  const peers: RoomPeer[] = []
  t.teardown(async () => {
    for (const peer of peers) peer.close()
    await until('all streams are closed', () => cluster.openStreams() === 0)
    await cluster.close()
  })
  for (const [node, [user, transport]] of Object.entries(TRANSPORTS).entries()) {
    const token = await createToken(cluster.config, { user })
    const peer = new RoomPeer(user, { url: cluster.urlOf(node), token, transport })
    peers.push(peer)
    await peer.join()
  }
  const [alice, bob, carol] = peers as [RoomPeer, RoomPeer, RoomPeer]

  const pairs: [one: Link, other: Link, names: string][] = []
  for (const [one, other] of [
    [alice, bob],
    [alice, carol],
    [bob, carol]
  ] as const) {
    const both = [await one.linkTo(other.user), await other.linkTo(one.user)] as const
    await Promise.all(both.map(link => link.isOpen()))
    await exchange(...both, 'hello')
    pairs.push([...both, `${one.user} and ${other.user}`])
  }
  t.pass('each pair passes data both ways')

  const conversations = pairs.map(([one, other, names]) => startConversation(one, other, names))
  const goesOn = async (what: string) => {
    const before = conversations.map(each => each.rounds())
    await until(`all pairs exchange data ${what}`, () =>
      conversations.every((each, i) => each.rounds() > (before[i] ?? 0) + 10)
    )
  }

  carol.disconnect()
  for (const peer of [alice, bob]) {
    await until(`${peer.user} sees carol away`, () => peer.count('room.participant_updated', { away: true }) === 1)
  }
  await cluster.advance(3000)
  await goesOn('while carol is away')
  carol.listen()
  for (const peer of [alice, bob]) {
    await until(`${peer.user} sees carol back`, () => peer.count('room.participant_updated', { away: false }) === 1)
  }
  await cluster.advance(10_000)
  t.same(
    [alice, bob].map(peer => peer.count('room.participant_left')),
    [0, 0],
    'no peer received that carol has left'
  )

  carol.disconnect()
  for (const peer of [alice, bob]) {
    await until(`${peer.user} sees carol away`, () => peer.count('room.participant_updated', { away: true }) === 2)
  }
  await cluster.advance(8000)
  for (const peer of [alice, bob]) {
    await until(`${peer.user} receives that carol is lost`, () => peer.count('room.participant_left') === 1)
    t.equal(peer.count('room.participant_left', { user: 'carol', reason: 'lost' }), 1)
  }
  await goesOn('after carol was lost')
  for (const each of conversations) await each.stop()
  carol.listen()
  await until(
    'carol receives it after she reconnects',
    () => carol.count('room.participant_left', { user: 'carol', reason: 'lost' }) === 1
  )
})
