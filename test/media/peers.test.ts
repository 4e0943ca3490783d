// Two real peers that signal through Signalpost: they connect, exchange data, restart ICE while they do, and hang up.
import t, { type Test } from 'tap'
import type { Transport } from '../helpers/client.js'
import { type Layout, nameOf, startServers } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { exchange, type Link, startConversation } from './link.js'
import { Peer } from './peer.js'

interface Setting {
  readonly layout: Layout
  /** The transport of bob; alice has a stream. */
  readonly bob: Transport
}

const SETTINGS: readonly Setting[] = [
  { layout: { engine: 'redis', nodes: 2 }, bob: 'sse' },
  { layout: { engine: 'redis', nodes: 2 }, bob: 'poll' },
  { layout: { engine: 'memory' }, bob: 'sse' }
]

for (const { layout, bob } of SETTINGS) {
  t.test(`a call on ${nameOf(layout)}, alice by sse, bob by ${bob}`, async t => {
    const [alice, bobPeer] = await openPeers(t, layout, bob)
    await connect(t, alice, bobPeer)
    await restart(t, alice, bobPeer)
    await hangUp(t, alice, bobPeer)
  })
}

/** Alice on the first node, bob on the last one. */
async function openPeers(t: Test, layout: Layout, transport: Transport): Promise<[Peer, Peer]> {
  const servers = await startServers(t, layout)
  const [near, far] = [servers[0]?.url ?? '', servers.at(-1)?.url ?? '']
  const alice = await Peer.join('alice', { url: near, transport: 'sse' })
  t.teardown(() => alice.leave())
  const bob = await Peer.join('bob', { url: far, transport })
  t.teardown(() => bob.leave())
  return [alice, bob]
}

async function connect(t: Test, alice: Peer, bob: Peer): Promise<void> {
  await alice.call('bob')
  await bob.receives('signal.candidates')
  await alice.receives('signal.candidates')
  // Both report `connected` when the channel opens. The second to report may get no event of the first.
  await Promise.race([alice.receives('call.connected'), bob.receives('call.connected')])
  await exchange(alice.link, bob.link, 'first')
  t.pass('data passes both ways')
}

async function restart(t: Test, { link: alice }: Peer, { link: bob }: Peer): Promise<void> {
  const before = [alice.generation(), bob.generation()]
  const conversation = startConversation(alice, bob)
  await alice.restart()
  await hasNewPath('alice', alice, before[0])
  await hasNewPath('bob', bob, before[1])
  const rounds = conversation.rounds()
  await until('the conversation goes on', () => conversation.rounds() > rounds + 10)
  await conversation.stop()
  t.ok(rounds > 0, `${rounds} exchanges until both had a new path`)
}

/** Both sides have new credentials, and a candidate of each new generation has reached the other. */
function hasNewPath(name: string, link: Link, before: string | undefined): Promise<void> {
  return until(`${name} has a new path`, async () => {
    const [ours, theirs] = link.generation().split(' ')
    const isNew = !before?.split(' ').some(ufrag => ufrag === ours || ufrag === theirs)
    return isNew && (await link.paths()).has(`${ours} ${theirs}`)
  })
}

async function hangUp(t: Test, alice: Peer, bob: Peer): Promise<void> {
  await alice.hangUp()
  const { data } = await bob.receives('call.ended')
  t.match(data, { reason: 'hangup', endedBy: { user: 'alice', device: 'phone' }, call: { state: 'ended' } })
  t.match(data, { call: { setupMs: Number, durationMs: Number } }, 'with setup time and duration')
  t.notOk(alice.hasReceived('call.ended'), 'the device that hangs up gets no event')
}
