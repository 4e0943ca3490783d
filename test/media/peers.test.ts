// Two real peers, with nothing between them but Signalpost: they find each other, talk, get new paths in mid-talk, and part.
import t, { type Test } from 'tap'
import type { Transport } from '../helpers/client.js'
import { type Layout, nameOf, startServers } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { exchange, type Link, startTalk } from './link.js'
import { Peer } from './peer.js'

interface Setting {
  readonly layout: Layout
  /** How bob listens; alice has a stream. */
  readonly bob: Transport
}

const SETTINGS: readonly Setting[] = [
  { layout: { engine: 'redis', nodes: 2 }, bob: 'sse' },
  { layout: { engine: 'redis', nodes: 2 }, bob: 'poll' },
  { layout: { engine: 'memory' }, bob: 'sse' }
]

for (const { layout, bob } of SETTINGS) {
  t.test(`a call on ${nameOf(layout)}, alice by sse, bob by ${bob}`, async t => {
    const [alices, bobs] = await meet(t, layout, bob)
    await connect(t, alices, bobs)
    await restart(t, alices, bobs)
    await part(t, alices, bobs)
  })
}

/** On the first and on the last node there is. */
async function meet(t: Test, layout: Layout, transport: Transport): Promise<[Peer, Peer]> {
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
  await bob.hears('signal.candidates')
  await alice.hears('signal.candidates')
  // Both say so when the channel opens; each hears the other, unless it was the first that did.
  await Promise.race([alice.hears('call.connected'), bob.hears('call.connected')])
  await exchange(alice.link, bob.link, 'first')
  t.pass('data passes both ways')
}

async function restart(t: Test, { link: alice }: Peer, { link: bob }: Peer): Promise<void> {
  const before = [alice.generation(), bob.generation()]
  const talk = startTalk(alice, bob)
  await alice.restart()
  await hasNewPath('alice', alice, before[0])
  await hasNewPath('bob', bob, before[1])
  const rounds = talk.rounds()
  await until('the talk goes on', () => talk.rounds() > rounds + 10)
  await talk.stop()
  t.ok(rounds > 0, `${rounds} exchanges while there came to be new paths`)
}

/** Both sides have new credentials, and some candidate of each that was trickled with them reaches the other. */
function hasNewPath(name: string, link: Link, before: string | undefined): Promise<void> {
  return until(`${name} has a new path`, async () => {
    const [ours, theirs] = link.generation().split(' ')
    const isNew = !before?.split(' ').some(ufrag => ufrag === ours || ufrag === theirs)
    return isNew && (await link.paths()).has(`${ours} ${theirs}`)
  })
}

async function part(t: Test, alice: Peer, bob: Peer): Promise<void> {
  await alice.hangUp()
  const { data } = await bob.hears('call.ended')
  t.match(data, { reason: 'hangup', endedBy: { user: 'alice', device: 'phone' }, call: { state: 'ended' } })
  t.match(data, { call: { setupMs: Number, durationMs: Number } }, 'how long it took and lasted')
  t.notOk(alice.hasHeard('call.ended'), 'who hangs up knows from the reply')
}
