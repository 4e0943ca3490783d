// Charges by recipients, by KiB, and by named users.
import { PART } from '../../src/domain/room/state.js'
import { meet } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

const TIGHT = { RATE_LIMIT_DELIVERIES: '143', RATE_LIMIT_PRESENCE: '50' }

/** Six users with a device each, which have joined in order and received the events. */
async function joinSix(scenario: Scenario): Promise<TestClient[]> {
  const people: TestClient[] = []
  for (const user of ['alice', 'bob', 'carol', 'dan', 'eve', 'fay']) {
    const client = await scenario.addClient(user, 'phone', { node: people.length % 2 ? scenario.lastNode : 0 })
    await client.post('rooms/r1/participants')
    for (const other of people) await other.expectEvent('room.participant_joined')
    people.push(client)
  }
  await scenario.advance(10_000)
  return people
}

flow(
  'chat is charged by recipients and KiB, over all nodes, until the next window; other users are not affected',
  async (t, scenario) => {
    const [alice, ...others] = (await joinSix(scenario)) as [TestClient, TestClient]
    const [bob] = others
    const content = 'x'.repeat(3600)
    const post = (who: TestClient) => who.request('POST', 'rooms/r1/messages', { content })
    for (let n = 0; n < 7; n++) {
      alice.useNode(n % 2 ? scenario.lastNode : 0)
      t.equal((await post(alice)).status, 201, 'five recipients of 4 KiB cost 20')
    }
    t.match(await post(alice), { status: 429, body: { code: 'rate_limited', detail: /deliveries in 10 s/ } })
    t.match(
      await alice.request('POST', 'rooms/r1/typing', { typing: true }),
      { status: 429 },
      'it costs five units, and three are left'
    )
    t.equal((await post(bob)).status, 201)
    for (const other of others) for (let n = 0; n < 7; n++) await other.expectEvent('chat.message')
    await alice.expectEvent('chat.message')
    for (const other of others.slice(1)) await other.expectEvent('chat.message')
    await scenario.advance(10_000)
    t.equal((await post(alice)).status, 201)
    for (const other of others) await other.expectEvent('chat.message')
  },
  { env: TIGHT }
)

flow(
  'presence is charged by the number of users that are looked up or watched',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const users = (count: number) => Array.from({ length: count }, (_, n) => `stranger${n}`)
    await scenario.advance(10_000)
    const watch = () => alice.request('PUT', 'presence/watch', { users: users(20) })
    t.match(await watch(), { status: 200 })
    t.match(await alice.request('GET', `presence?users=${users(20).join(',')}`), { status: 200 })
    t.match(await watch(), { status: 429, body: { code: 'rate_limited' } })
    t.match(await alice.request('GET', `presence?users=${users(11).join(',')}`), { status: 429 })
    t.match(await alice.request('GET', `presence?users=${users(10).join(',')}`), { status: 200 })
    await scenario.advance(10_000)
    t.match(
      await alice.request('PUT', 'presence/watch', { users: users(90) }),
      { status: 200 },
      'a cost above the limit takes all that is left'
    )
    t.match(await alice.request('GET', `presence?users=${users(1).join(',')}`), { status: 429 })
  },
  { env: TIGHT }
)

flow(
  'a device that disconnects and reconnects is charged; when its budget is spent, only changes that last are announced',
  async (t, scenario) => {
    const [{ who: alice }, { who: bob }, { who: carol }] = await meet(scenario)
    await scenario.advance(10_000)
    const updated = async (away: boolean) => {
      for (const each of [bob, carol]) {
        t.match(await each.expectEvent('room.participant_updated'), { participant: { user: 'alice', away } })
      }
    }
    await alice.closeStream()
    await updated(true)
    await alice.openStream()
    await updated(false)
    await alice.closeStream()
    const leftAt = scenario.now()
    await scenario.advance(scenario.config.awayAfterMs + 1_000)
    await updated(true)
    const part = PART.participantOf({ user: scenario.toWire('alice'), device: 'phone' })
    const room = await scenario.store.rooms.load(scenario.toWire('r1'), [part])
    const [head = '', rest = ''] = (room?.fields.get(part)?.value ?? '').split('\n')
    const { awaySince } = { ...JSON.parse(head), ...JSON.parse(rest) }
    t.ok(awaySince >= leftAt + scenario.config.awayAfterMs, 'it was not announced at once')
  },
  { env: { RATE_LIMIT_DELIVERIES: '4' } }
)

flow('waiting candidates are charged to their sender, over all pairs', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const send = (to: string, count: number) =>
    alice.who.request('POST', 'rooms/r1/candidates', { to, candidates: candidates(count, 'aliceA') })
  const window = { name: 'waiting', windowMs: 600_000, max: 4096, now: scenario.now() }
  await scenario.store.counters.take(scenario.toWire('alice'), { ...window, want: 4095 })
  t.match(await send(bob.id, 1), { status: 202, body: { held: [{ index: 0, reason: 'no_description' }] } })
  t.match(await send(bob.id, 1), { status: 429, body: { code: 'rate_limited', detail: /waiting in 600 s/ } })
  t.match(await send(carol.id, 1), { status: 429 })
  await alice.who.post('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  await bob.who.expectEvents('signal.offer', 'signal.candidates')
  t.match(
    await send(bob.id, 1),
    { status: 202, body: { held: { length: 0 } } },
    'a candidate that does not wait is not charged'
  )
  await bob.who.expectEvent('signal.candidates')
})
