// Who may see the presence of a user: looked up, on a watch list, and as an event. A hidden user looks like one who does not exist.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** Longer than the debounce and the second that a deadline may be late. */
const A_WHILE = 3_500

const shared = { env: { PRESENCE_VISIBILITY: 'shared' } }

/** The state that `who` sees of the user. Asserts that look-up and watch list agree, and how a hidden user looks. */
async function seesState(t: Test, scenario: Scenario, who: TestClient, user: string): Promise<unknown> {
  const nobody = scenario.toPath('nobody')
  const lookUp = await who.request('GET', `presence?users=${scenario.toPath(user)},${nobody}`)
  const watch = await who.request('PUT', 'presence/watch', { users: [user, 'nobody'] })
  const [seen, unknown] = lookUp.body.presences as Record<string, unknown>[]
  const [watched, unknownWatched] = watch.body.watching as Record<string, unknown>[]
  // A watch list has the published presence, which may be older.
  t.equal(seen?.state === 'offline', watched?.state === 'offline', 'look-up and watch list agree')
  t.notOk('devices' in (seen ?? {}) || 'devices' in (watched ?? {}), 'without the number of devices')
  t.match(String(seen?.lastSeenAt), /^null$|:00\.000Z$/, 'and without milliseconds')
  if (seen?.state === 'offline') {
    t.same({ ...seen, user: 'nobody' }, unknown)
    t.same({ ...watched, user: 'nobody' }, unknownWatched)
  }
  return seen?.state
}

flow(
  'a stranger sees a user only while they share a room or an answered call',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    t.equal(await seesState(t, scenario, alice, 'bob'), 'offline')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    t.equal(await seesState(t, scenario, alice, 'bob'), 'offline', 'a ringing call shows nothing')
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    t.equal(await seesState(t, scenario, alice, 'bob'), 'busy')
    t.equal(await seesState(t, scenario, bob, 'alice'), 'busy')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    t.equal(await seesState(t, scenario, alice, 'bob'), 'offline', 'the call has ended')
    await alice.post('rooms/r1/participants')
    await bob.post('rooms/r1/participants')
    await alice.expectEvent('room.participant_joined')
    t.not(await seesState(t, scenario, alice, 'bob'), 'offline')
    const eve = await scenario.addClient('eve', 'phone')
    t.equal(await seesState(t, scenario, eve, 'bob'), 'offline')
    t.equal(await seesState(t, scenario, eve, 'alice'), 'offline')
  },
  shared
)

flow(
  'a watch list that is read again hides a user like one who does not exist, and shows them later with a newer version',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const listed = async () => (await alice.request('GET', 'presence/watch')).body.watching as Record<string, unknown>[]
    await alice.request('PUT', 'presence/watch', { users: ['bob', 'nobody'] })
    const [hidden, unknown] = await listed()
    t.same({ ...hidden, user: 'nobody' }, unknown)
    await bob.request('PUT', 'presence', { status: 'away' })
    await scenario.advance(scenario.config.presenceTtlMs)
    t.same(await listed(), [hidden, unknown], 'a change of a hidden user shows nothing')
    await alice.post('rooms/r1/participants')
    await bob.post('rooms/r1/participants')
    await alice.expectEvent('room.participant_joined')
    const [shown] = await listed()
    t.not(shown?.state, 'offline')
    t.ok(Number(shown?.version) > Number(hidden?.version))
  },
  shared
)

flow(
  'a user sees their own devices and exact times',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    await scenario.addClient('alice', 'tablet')
    const { body } = await alice.request('GET', `presence?users=${scenario.toPath('alice')}`)
    const lastSeenAt = new Date(scenario.now()).toISOString()
    t.match(body, { presences: [{ user: 'alice', state: 'online', devices: 2, lastSeenAt }] })
    t.match((await alice.request('GET', 'snapshot')).body, { presence: { devices: 2, lastSeenAt } })
    t.match((await alice.request('PUT', 'presence', {})).body, { presence: { devices: 2 } })
  },
  shared
)

flow(
  'a change reaches only watchers who may see the user',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const eve = await scenario.addClient('eve', 'phone')
    await alice.post('rooms/r1/participants')
    await bob.post('rooms/r1/participants')
    await alice.expectEvent('room.participant_joined')
    for (const who of [alice, eve]) await who.request('PUT', 'presence/watch', { users: ['bob'] })
    await bob.request('PUT', 'presence', { status: 'away' })
    await scenario.advance(A_WHILE)
    t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'away' })
    await bob.request('PUT', 'presence', { status: 'online' })
    t.match(await alice.expectEvent('presence.changed'), { user: 'bob', state: 'online' })
    await scenario.advance(A_WHILE)
    // The mailbox check at the end fails if eve got an event that the test did not expect.
  },
  shared
)

/** The requests it got. It lets alice see all users but sleepers, and answers 500 about strangers. */
const received: Record<string, unknown>[] = []
const service = createServer(async (request, reply) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const policyRequest = JSON.parse(text)
  received.push(policyRequest)
  if (policyRequest.to.startsWith('stranger')) return void reply.writeHead(500).end()
  reply.end(
    JSON.stringify({ allow: policyRequest.caller.user.startsWith('alice') && !policyRequest.to.startsWith('sleeper') })
  )
}).listen(0, '127.0.0.1')
await once(service, 'listening')
t.teardown(() => void service.close().closeAllConnections())

flow(
  'the policy service decides, and its answer is cached for 30 s',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    for (const user of ['bob', 'sleeper', 'stranger']) await scenario.addClient(user, 'laptop')
    t.equal(await seesState(t, scenario, alice, 'bob'), 'online')
    t.equal(await seesState(t, scenario, alice, 'sleeper'), 'offline')
    t.equal(await seesState(t, scenario, alice, 'stranger'), 'offline', 'without an answer the user is hidden')
    const requestsAbout = (to: string) => scenario.fromWire(received).filter(each => each.to === to)
    const expected = { action: 'presence', caller: alice.endpoint, to: 'bob' }
    t.strictSame(requestsAbout('bob'), [expected], 'asked once')
    await scenario.advance(30_000)
    t.equal(await seesState(t, scenario, alice, 'bob'), 'online')
    t.strictSame(requestsAbout('bob'), [expected, expected])
    t.equal(requestsAbout('alice').length, 0, 'users always see themselves')
  },
  {
    env: {
      PRESENCE_VISIBILITY: 'policy',
      POLICY_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}/ask`
    }
  }
)
