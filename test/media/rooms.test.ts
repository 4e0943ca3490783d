// Three real peers in a room, each at another node: everybody talks to everybody, one drops off in the midst of it and is back in
// time, and drops off for good. What the others say to each other goes on.
import t from 'tap'
import { createToken } from '../../src/development.js'
import { TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'
import { exchange, type Link, startTalk } from './link.js'
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
    const token = await createToken(cluster.config, user)
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

  const talks = pairs.map(([one, other, names]) => startTalk(one, other, names))
  const goesOn = async (what: string) => {
    const before = talks.map(talk => talk.rounds())
    await until(`the talk goes on ${what}`, () => talks.every((talk, i) => talk.rounds() > (before[i] ?? 0) + 10))
  }

  carol.drops()
  for (const peer of [alice, bob]) {
    await until(`${peer.user} sees carol away`, () => peer.count('room.participant_updated', { away: true }) === 1)
  }
  await cluster.advance(3000)
  await goesOn('while carol is away')
  carol.listens()
  for (const peer of [alice, bob]) {
    await until(`${peer.user} sees her back`, () => peer.count('room.participant_updated', { away: false }) === 1)
  }
  await cluster.advance(10_000)
  t.same(
    [alice, bob].map(peer => peer.count('room.participant_left')),
    [0, 0],
    'nobody was told that she is gone'
  )

  carol.drops()
  for (const peer of [alice, bob]) {
    await until(`${peer.user} sees her away`, () => peer.count('room.participant_updated', { away: true }) === 2)
  }
  await cluster.advance(8000)
  for (const peer of [alice, bob]) {
    await until(`${peer.user} hears that she is lost`, () => peer.count('room.participant_left') === 1)
    t.equal(peer.count('room.participant_left', { user: 'carol', reason: 'lost' }), 1)
  }
  await goesOn('after carol was lost')
  for (const talk of talks) await talk.stop()
  carol.listens()
  await until('carol learns of it', () => carol.count('room.participant_left', { user: 'carol', reason: 'lost' }) === 1)
})
