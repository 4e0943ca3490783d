// A node process is killed, also under load: no acknowledged action is lost (G9), and calls go on (G7).
import t from 'tap'
import { Fleet } from '../helpers/fleet.js'
import { candidate, sdp } from '../helpers/sdp.js'
import { type Reply, TestClient } from '../helpers/test-client.js'

const VICTIM = 0
const SURVIVOR = 1

const fleet = await Fleet.launch(2, undefined, { RING_TIMEOUT_MS: '2000' })
t.teardown(() => fleet.stop())

t.test('a call that rings ends in time after the node that created it was killed', async t => {
  const alice = await TestClient.create(fleet, { user: 'alice', device: 'phone', node: SURVIVOR })
  const bob = await TestClient.create(fleet, { user: 'bob', device: 'laptop', node: SURVIVOR })
  for (const client of [alice, bob]) await client.openStream()
  alice.useNode(VICTIM)
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await fleet.kill(VICTIM)
  alice.useNode(SURVIVOR)
  await bob.expectEvent('call.incoming')
  for (const client of [alice, bob]) t.match(await client.expectEvent('call.ended'), { reason: 'no_answer' })
  t.same(await alice.activeCalls(), [])
  for (const client of [alice, bob]) await client.checkMailbox(t)
})

/** An acknowledged action: which client must receive which event. */
interface ExpectedEvent {
  readonly to: TestClient
  readonly type: string
  readonly callId: string
  readonly has?: string
}

interface Pair {
  readonly alice: TestClient
  readonly bob: TestClient
  readonly expected: ExpectedEvent[]
  isOver: boolean
}

/** Sends a request to the victim. Without a reply it is repeated at the survivor, as clients do. */
async function act(client: TestClient, path: string, body?: object): Promise<Reply> {
  try {
    client.useNode(VICTIM)
    return await client.request('POST', path, body)
  } catch {
    client.useNode(SURVIVOR)
    return client.request('POST', path, body)
  }
}

async function talk(pair: Pair, round: number): Promise<void> {
  const { alice, bob, expected } = pair
  const callId = `${alice.user}-${round}`
  const step = async (from: TestClient, action: string, body: object, event: { type: string; has?: string }) => {
    const path = action === '' ? 'calls' : `calls/${callId}/${action}`
    const { status, body: reply } = await act(from, path, body)
    if (status >= 300) throw new Error(`${path}: ${status} ${reply.code}`)
    expected.push({ to: from === alice ? bob : alice, callId, ...event })
  }
  // Longer than the 2 s of the fleet, so that no call rings out while the machine is busy.
  const create = { callId, to: bob.user, ringTimeoutMs: 60_000 }
  await step(alice, '', create, { type: 'call.incoming' })
  await step(bob, 'accept', {}, { type: 'call.accepted' })
  await step(alice, 'offer', { sdp: sdp(`a${round}`) }, { type: 'signal.offer' })
  await step(bob, 'answer', { sdp: sdp(`b${round}`) }, { type: 'signal.answer' })
  for (let n = 1; n <= 4; n++) {
    const each = candidate(100 * round + n)
    await step(alice, 'candidates', { candidates: [each] }, { type: 'signal.candidates', has: each.candidate })
    await step(bob, 'candidates', { candidates: [each] }, { type: 'signal.candidates', has: each.candidate })
  }
  await step(alice, 'connected', {}, { type: 'call.connected' })
  await step(bob, 'hangup', {}, { type: 'call.ended' })
}

t.test('every acknowledged action reaches the peer when a node is killed under load', async t => {
  const pairs: Pair[] = []
  for (let i = 0; i < 6; i++) {
    const [alice, bob] = await Promise.all(
      ['alice', 'bob'].map(name => TestClient.create(fleet, { user: `${name}${i}`, device: 'd', node: SURVIVOR }))
    )
    if (!alice || !bob) continue
    await Promise.all([alice.poll(), bob.poll()])
    pairs.push({ alice, bob, expected: [], isOver: false })
  }
  let round = 0
  for (const afterCalls of [4, 13]) {
    await fleet.start(VICTIM)
    let calls = 0
    const working = pairs.map(async pair => {
      for (let n = 0; n < 4; n++) {
        await talk(pair, ++round)
        if (++calls === afterCalls) await fleet.kill(VICTIM)
      }
    })
    await Promise.all(working)
  }
  for (const { alice, bob, expected } of pairs) {
    for (const client of [alice, bob]) {
      client.useNode(SURVIVOR)
      t.same(await client.activeCalls(), [], `${client.user} is free`)
      const events = await client.poll({ limit: 500 })
      const missing = expected.filter(
        ({ to, type, callId, has = '' }) =>
          to === client &&
          !events.some(
            each => each.type === type && each.data.callId === callId && JSON.stringify(each.data).includes(has)
          )
      )
      t.same(
        missing.map(({ type, callId }) => `${callId} ${type}`),
        [],
        `${client.user} received every event`
      )
      await client.checkMailbox(t)
    }
  }
  t.equal(round, 48, `${round} calls`)
})
