// What a user may cost others: charged by recipients, by KiB, and by users named.
import { PART } from '../../src/domain/room/state.js'
import { meet } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

const TIGHT = { RATE_LIMIT_DELIVERIES: '143', RATE_LIMIT_PRESENCE: '50' }

/** Six people with a device each, who have joined one after the other and heard of it. */
async function crowd(scenario: Scenario): Promise<TestClient[]> {
  const people: TestClient[] = []
  for (const user of ['alice', 'bob', 'carol', 'dan', 'eve', 'fay']) {
    const client = await scenario.enter(user, 'phone', { node: people.length % 2 ? scenario.far : 0 })
    await client.does('rooms/r1/participants')
    for (const other of people) await other.hears('room.participant_joined')
    people.push(client)
  }
  await scenario.pass(10_000)
  return people
}

flow(
  'chat is charged by recipients and KiB, over all nodes; others are unaffected, and the next window is free',
  async (t, scenario) => {
    const [alice, ...others] = (await crowd(scenario)) as [TestClient, TestClient]
    const [bob] = others
    const content = 'x'.repeat(3600)
    const post = (who: TestClient) => who.ask('POST', 'rooms/r1/messages', { content })
    for (let n = 0; n < 7; n++) {
      alice.goesTo(n % 2 ? scenario.far : 0)
      t.equal((await post(alice)).status, 201, 'five recipients of 4 KiB cost 20')
    }
    t.match(await post(alice), { status: 429, body: { code: 'rate_limited', detail: /deliveries in 10 s/ } })
    t.match(
      await alice.ask('POST', 'rooms/r1/typing', { typing: true }),
      { status: 429 },
      'five recipients, three are left'
    )
    t.equal((await post(bob)).status, 201)
    for (const other of others) for (let n = 0; n < 7; n++) await other.hears('chat.message')
    await alice.hears('chat.message')
    for (const other of others.slice(1)) await other.hears('chat.message')
    await scenario.pass(10_000)
    t.equal((await post(alice)).status, 201)
    for (const other of others) await other.hears('chat.message')
  },
  { env: TIGHT }
)

flow(
  'presence is charged by the users named, looked up or watched',
  async (t, scenario) => {
    const alice = await scenario.enter('alice', 'phone')
    const users = (count: number) => Array.from({ length: count }, (_, n) => `stranger${n}`)
    await scenario.pass(10_000)
    const watch = () => alice.ask('PUT', 'presence/watch', { users: users(20) })
    t.match(await watch(), { status: 200 })
    t.match(await alice.ask('GET', `presence?users=${users(20).join(',')}`), { status: 200 })
    t.match(await watch(), { status: 429, body: { code: 'rate_limited' } })
    t.match(await alice.ask('GET', `presence?users=${users(11).join(',')}`), { status: 429 })
    t.match(await alice.ask('GET', `presence?users=${users(10).join(',')}`), { status: 200 })
    await scenario.pass(10_000)
    t.match(
      await alice.ask('PUT', 'presence/watch', { users: users(90) }),
      { status: 200 },
      'what costs more takes all'
    )
    t.match(await alice.ask('GET', `presence?users=${users(1).join(',')}`), { status: 429 })
  },
  { env: TIGHT }
)

flow(
  'a device that comes and goes is charged for it; when that is spent, the room announces what has lasted',
  async (t, scenario) => {
    const [{ who: alice }, { who: bob }, { who: carol }] = await meet(scenario)
    await scenario.pass(10_000)
    const updated = async (away: boolean) => {
      for (const each of [bob, carol]) {
        t.match(await each.hears('room.participant_updated'), { participant: { user: 'alice', away } })
      }
    }
    await alice.leaves()
    await updated(true)
    await alice.listens()
    await updated(false)
    await alice.leaves()
    const leftAt = scenario.now()
    await scenario.pass(scenario.config.awayAfterMs + 1_000)
    await updated(true)
    const part = PART.member({ user: scenario.marked('alice'), device: 'phone' })
    const room = await scenario.store.rooms.load(scenario.marked('r1'), [part])
    const [head = '', rest = ''] = (room?.fields.get(part)?.value ?? '').split('\n')
    const { awaySince } = { ...JSON.parse(head), ...JSON.parse(rest) }
    t.ok(awaySince >= leftAt + scenario.config.awayAfterMs, 'not announced at once')
  },
  { env: { RATE_LIMIT_DELIVERIES: '4' } }
)

flow('candidates that wait are charged to their sender, whichever pair they wait in', async (t, scenario) => {
  const [alice, bob, carol] = await meet(scenario)
  const send = (to: string, count: number) =>
    alice.who.ask('POST', 'rooms/r1/candidates', { to, candidates: candidates(count, 'aliceA') })
  const window = { name: 'waiting', windowMs: 600_000, max: 4096, now: scenario.now() }
  await scenario.store.quotas.take(scenario.marked('alice'), { ...window, want: 4095 })
  t.match(await send(bob.id, 1), { status: 202, body: { held: 1 } })
  t.match(await send(bob.id, 1), { status: 429, body: { code: 'rate_limited', detail: /waiting in 600 s/ } })
  t.match(await send(carol.id, 1), { status: 429 })
  await alice.who.does('rooms/r1/offer', { to: bob.id, sdp: sdp('aliceA') })
  await bob.who.hearsAll('signal.offer', 'signal.candidates')
  t.match(await send(bob.id, 1), { status: 202, body: { held: 0 } }, 'what need not wait costs nothing')
  await bob.who.hears('signal.candidates')
})
