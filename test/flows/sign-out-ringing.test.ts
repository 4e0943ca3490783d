// What rings for a user or a device that an operator signs out.
import type { Test } from 'tap'
import { operate as operator } from '../helpers/operator.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { operate, Session, WITH_ADMIN } from '../helpers/sessions.js'
import type { TestClient } from '../helpers/test-client.js'

const env = WITH_ADMIN

/** A device that is online. It is signed out in the test, so it is no client whose mailbox is read in the end. */
const online = async (scenario: Scenario, user: string, device = 'phone') => {
  const session = await Session.open(scenario, [user, device])
  return { ...session, stream: await session.stream(scenario.lastNode) }
}

const signOut = async (t: Test, scenario: Scenario, user: string, path = '/all-devices') =>
  t.equal((await operate(scenario, ['POST', `${path}/sign-out`], { node: scenario.lastNode, user })).status, 200)

async function isFree(t: Test, scenario: Scenario, ...users: readonly string[]): Promise<void> {
  await scenario.cluster.settle()
  for (const user of users) t.same(await scenario.store.leases.list(scenario.toWire(user)), [], `${user} has no lease`)
}

const addAlice = (scenario: Scenario): Promise<TestClient> => scenario.addClient('alice', 'phone')

flow(
  'a call rings on until the last device of the callee is signed out, and then was not answered',
  async (t, scenario) => {
    const alice = await addAlice(scenario)
    const [phone, watch] = [await online(scenario, 'bob'), await online(scenario, 'bob', 'watch')]
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    for (const { stream } of [phone, watch]) await stream.next('call.incoming')
    await signOut(t, scenario, 'bob', '/devices/phone')
    t.match(await phone.stream.next('end'), { data: { reason: 'signed_out' } })
    t.match(await alice.call('c1'), { state: 'ringing' })
    await signOut(t, scenario, 'bob', '/devices/watch')
    t.match(await watch.stream.next('end'), { data: { reason: 'signed_out' } })
    t.match(await alice.expectEvent('call.ended'), { reason: 'no_answer', endedBy: null })
    await isFree(t, scenario, 'alice', 'bob')
  },
  { env }
)

flow(
  'a call to a device that is signed out ends, although the user has another one',
  async (t, scenario) => {
    const alice = await addAlice(scenario)
    const [phone, watch] = [await online(scenario, 'bob'), await online(scenario, 'bob', 'watch')]
    await alice.post('calls', { callId: 'c1', to: { user: 'bob', device: 'watch' } })
    await watch.stream.next('call.incoming')
    await signOut(t, scenario, 'bob', '/devices/watch')
    t.match(await alice.expectEvent('call.ended'), { reason: 'no_answer' })
    await isFree(t, scenario, 'alice', 'bob')
    await phone.stream.close()
  },
  { env }
)

flow(
  'a call to several goes on with the others when one of them is signed out, also in sequence',
  async (t, scenario) => {
    const alice = await addAlice(scenario)
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    const { stream } = await online(scenario, 'bob')
    await alice.post('calls', { callId: 'c1', to: ['bob', 'carol'], ringStrategy: 'sequence' })
    await stream.next('call.incoming')
    await signOut(t, scenario, 'bob')
    t.match(await alice.expectEvent('call.callee_changed'), {
      callee: { user: 'bob', state: 'ended', reason: 'unreachable' }
    })
    t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'carol', state: 'ringing' } })
    await carol.expectEvent('call.incoming')
    await carol.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/hangup')
    await carol.expectEvent('call.ended')
    await isFree(t, scenario, 'alice', 'bob', 'carol')
  },
  { env }
)

flow(
  'a call ends for the callee when the caller is signed out while it rings',
  async (t, scenario) => {
    const bob = await scenario.addClient('bob', 'phone', { node: scenario.lastNode })
    const alice = await Session.open(scenario, ['alice', 'phone'])
    await (await alice.stream(0)).close()
    const call = { callId: scenario.toWire('c1'), to: scenario.toWire('bob') }
    t.equal((await alice.request(0, 'calls', { method: 'POST', body: call })).status, 201)
    await bob.expectEvent('call.incoming')
    await signOut(t, scenario, 'alice')
    t.match(await bob.expectEvent('call.ended'), { reason: 'cancelled', endedBy: { user: 'alice', device: 'phone' } })
    await isFree(t, scenario, 'alice', 'bob')
  },
  { env }
)

flow(
  'a transfer fails when its target is signed out, and the call goes on',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/connected')
    await bob.expectEvent('call.connected')
    const { stream } = await online(scenario, 'carol')
    await alice.post('calls/c1/transfer', { to: 'carol' })
    await stream.next('call.incoming')
    await bob.expectEvent('call.transferring')
    await signOut(t, scenario, 'carol')
    for (const client of [alice, bob]) {
      t.match(await client.expectEvent('call.transfer_failed'), { to: { user: 'carol' }, reason: 'no_answer' })
      t.match(await client.call('c1'), { state: 'connected' })
    }
    await isFree(t, scenario, 'carol')
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
  },
  { env }
)

flow(
  'a call that an operator has started ends when the user who rings first is signed out',
  async (t, scenario) => {
    const bob = await scenario.addClient('bob', 'phone', { node: scenario.lastNode })
    const { stream } = await online(scenario, 'alice')
    const body = { callId: scenario.toWire('c1'), from: scenario.toWire('alice'), to: scenario.toWire('bob') }
    t.equal((await operator(scenario, 'POST', 'calls', { body })).status, 201)
    await stream.next('call.incoming')
    await signOut(t, scenario, 'alice')
    t.match(await operator(scenario, 'GET', 'calls/c1'), {
      status: 200,
      body: { call: { state: 'ended', reason: 'no_answer' } }
    })
    await isFree(t, scenario, 'alice', 'bob')
    t.same(await bob.activeCalls(), [])
  },
  { env }
)

flow(
  'an invitation rings on until the last device of its user is signed out',
  async (t, scenario) => {
    const alice = await addAlice(scenario)
    const [phone, watch] = [await online(scenario, 'bob'), await online(scenario, 'bob', 'watch')]
    await alice.post('rooms/r1/participants')
    await alice.post('rooms/r1/invitations', { users: [scenario.toWire('bob')] })
    for (const { stream } of [phone, watch]) await stream.next('room.invitation')
    await signOut(t, scenario, 'bob', '/devices/phone')
    await scenario.cluster.settle()
    t.same(
      watch.stream.waiting().filter(({ type }) => type === 'room.invitation_ended'),
      []
    )
    await signOut(t, scenario, 'bob')
    t.match(await alice.expectEvent('room.invitation_ended'), { user: 'bob', reason: 'expired', by: null })
  },
  { env }
)
