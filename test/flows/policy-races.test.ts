// What happens to a call while the policy service is being asked about it.
import t from 'tap'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'

/** It redirects each call for `lottery` to another user. */
let draws = 0
const service = await PolicyService.start((question: PolicyQuestion) => {
  if ('to' in question && question.to === 'sleeper') return { allow: false }
  if ('to' in question && question.to === 'lottery') return { allow: true, to: draws++ % 2 ? 'bob' : 'carol' }
  return { allow: true }
})
t.teardown(() => service.close())

const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

const questions = (scenario: Scenario) =>
  scenario.fromWire(service.received).filter(({ caller }) => caller.user === 'alice')

/** Resolves when the scenario has asked this number of questions. */
async function waitForQuestions(scenario: Scenario, count: number): Promise<void> {
  await service.waitForQuestions(service.received.length - questions(scenario).length + count)
}

flow(
  'a call that is cancelled meanwhile stays cancelled, whatever the answer is',
  async (t, scenario) => {
    await scenario.addClient('bob', 'laptop')
    await scenario.addClient('sleeper', 'phone')
    const alice = await scenario.addClient('alice', 'phone')
    for (const [index, to] of ['bob', 'sleeper', 'lottery'].entries()) {
      const release = service.holdReplies()
      const callId = `c${index}`
      alice.useNode(0)
      const created = alice.request('POST', 'calls', { callId, to })
      await waitForQuestions(scenario, index + 1)
      alice.useNode(scenario.lastNode)
      t.match(await alice.post(`calls/${callId}/cancel`), { call: { state: 'ended', reason: 'cancelled' } })
      release()
      t.match(await created, {
        status: 200,
        body: { resolution: 'existing', call: { state: 'ended', reason: 'cancelled' } }
      })
      for (const user of ['alice', 'bob', 'carol', 'sleeper'])
        t.strictSame(await scenario.store.leases.list(scenario.toWire(user)), [], `${to}: ${user} has no lease`)
    }
    // The mailbox check at the end fails if bob's or carol's device got an event.
  },
  { env }
)

flow(
  'two creates of one call on two nodes make one call, although each is redirected to another user',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone')
    const release = service.holdReplies()
    const create = (node: number) => {
      alice.useNode(node)
      return alice.request('POST', 'calls', { callId: 'c1', to: 'lottery' })
    }
    const both = [create(0), create(scenario.lastNode)]
    await waitForQuestions(scenario, scenario.lastNode === 0 ? 1 : 2)
    release()
    const replies = await Promise.all(both)
    t.same(replies.map(({ status }) => status).sort(), [200, 201])
    const callees = replies.map(({ body }) => (body.call as { callee: { user: string } }).callee.user)
    t.equal(callees[0], callees[1])
    const [rung, other] = callees[0] === 'bob' ? [bob, carol] : [carol, bob]
    await rung.expectEvent('call.incoming')
    t.equal((await scenario.store.leases.list(scenario.toWire(rung.user))).length, 1)
    t.strictSame(await scenario.store.leases.list(scenario.toWire(other.user)), [], 'only one of them is rung')
    await alice.post('calls/c1/cancel')
    await rung.expectEvent('call.ended')
    t.strictSame(await scenario.store.leases.list(scenario.toWire('alice')), [])
  },
  { env }
)

flow(
  'a create that is denied after another one with its id was allowed gets that call',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const release = service.holdReplies(question => 'to' in question && question.to.startsWith('sleeper'))
    const denied = alice.request('POST', 'calls', { callId: 'c1', to: 'sleeper' })
    await waitForQuestions(scenario, 1)
    alice.useNode(scenario.lastNode)
    const made = await alice.request('POST', 'calls', { callId: 'c1', to: 'bob' })
    t.match(made, { status: 201 })
    await bob.expectEvent('call.incoming')
    release()
    t.match(await denied, { status: 200, body: { resolution: 'existing', call: { callee: { user: 'bob' } } } })
    t.match(await alice.call('c1'), { state: 'ringing' })
  },
  { env }
)

flow(
  'an invitation that is cancelled meanwhile does not ring',
  async (t, scenario) => {
    const [alice] = await scenario.addAliceAndBob()
    await alice.post('rooms/r1/participants')
    const asked = questions(scenario).length
    const release = service.holdReplies()
    const sent = alice.request('POST', 'rooms/r1/invitations', { users: [scenario.toWire('bob')], invitationId: 'i1' })
    await waitForQuestions(scenario, asked + 1)
    alice.useNode(scenario.lastNode)
    t.equal((await alice.request('DELETE', 'rooms/r1/invitations/i1')).status, 204)
    release()
    t.match(await sent, { body: { invitations: [{ state: 'cancelled' }] } })
  },
  { env }
)

flow(
  'a room that is closed while a device is let in stays closed',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('rooms/r1/participants')
    const seen = service.received.length
    const release = service.holdReplies()
    const joined = bob.request('POST', 'rooms/r1/participants')
    await service.waitForQuestions(seen + 1)
    t.equal((await alice.request('DELETE', 'rooms/r1')).status, 204)
    release()
    t.match(await joined, { status: 409, body: { code: 'room_closed' } })
  },
  { env }
)
