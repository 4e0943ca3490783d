// Two real peers, with nothing between them but Signalpost: they find each other, talk, change their path in mid-talk, and part.
import t, { type Test } from 'tap'
import type { Transport } from '../helpers/client.js'
import { type Layout, nameOf, startServers } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
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
  await exchange(alice, bob, 'first')
  t.pass('data passes both ways')
}

async function restart(t: Test, alice: Peer, bob: Peer): Promise<void> {
  const before = [await alice.path(), await bob.path()]
  const talk = startTalk(alice, bob)
  await alice.restart()
  await until('alice has a new path', async () => (await alice.path()) !== before[0])
  await until('bob has a new path', async () => (await bob.path()) !== before[1])
  const rounds = talk.rounds()
  await until('the talk goes on', () => talk.rounds() > rounds + 10)
  await talk.stop()
  t.ok(rounds > 0, `${rounds} exchanges while the path changed`)
}

async function part(t: Test, alice: Peer, bob: Peer): Promise<void> {
  await alice.hangUp()
  const { data } = await bob.hears('call.ended')
  t.match(data, { reason: 'hangup', endedBy: { user: 'alice', device: 'phone' }, call: { state: 'ended' } })
  t.match(data, { call: { setupMs: Number, durationMs: Number } }, 'how long it took and lasted')
  t.notOk(alice.hasHeard('call.ended'), 'who hangs up knows from the reply')
}

async function exchange(alice: Peer, bob: Peer, word: string): Promise<void> {
  alice.say(`${word} to bob`)
  await bob.isTold(`${word} to bob`)
  bob.say(`${word} to alice`)
  await alice.isTold(`${word} to alice`)
}

/** One exchange after the other: anything that is lost stops it, and then `stop` rejects. */
function startTalk(alice: Peer, bob: Peer): { rounds(): number; stop(): Promise<void> } {
  let rounds = 0
  let goesOn = true
  const talk = async () => {
    while (goesOn) await exchange(alice, bob, `round ${++rounds}`)
  }
  const talking = talk()
  return {
    rounds: () => rounds,
    async stop() {
      goesOn = false
      await talking
    }
  }
}
