// The policy service and calls to several users: it is asked about each, and redirects to several.
import t from 'tap'
import type { Call } from '../../src/schemas/call.js'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'

const ANSWERS: Readonly<Record<string, object>> = {
  team: { to: ['bob', { user: 'carol', ringTimeoutMs: 5000 }], ringStrategy: 'sequence' },
  desk: { to: { user: 'bob', device: 'laptop' } },
  lead: { to: ['lead', 'carol'] },
  loop: { to: ['alice', 'bob'] }
}
const rules = (question: PolicyQuestion) => {
  if (question.action !== 'call') return { allow: true }
  return question.to === 'eve' ? { allow: false } : { allow: true, ...ANSWERS[question.to] }
}
const service = await PolicyService.start(rules)
t.teardown(() => service.close())
const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

const askedAbout = (scenario: Scenario, callId: string) =>
  scenario
    .fromWire(service.received)
    .flatMap(each => (each.action === 'call' && each.callId === callId ? each.to : []))
    .sort()

const statesOf = ({ callees }: Call) => callees?.map(({ user, state }) => `${user} ${state}`)

flow(
  'a call is redirected to several users, who ring as the policy says',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone')
    const { call } = await alice.post('calls', { callId: 'c1', to: 'team' })
    t.strictSame(statesOf(call as Call), ['bob ringing', 'carol waiting'])
    t.strictSame(askedAbout(scenario, 'c1'), ['bob', 'carol', 'team'])
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/reject')
    await alice.expectEvents('call.callee_changed', 'call.callee_changed')
    t.match(await carol.expectEvent('call.incoming'), { expiresInMs: 5000 })
    await carol.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/hangup')
    await carol.expectEvent('call.ended')
  },
  { env }
)

flow(
  'a call is redirected to one device, and to several with the user who was called',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const watch = await scenario.addClient('bob', 'watch')
    const [carol, lead] = [await scenario.addClient('carol', 'phone'), await scenario.addClient('lead', 'phone')]
    t.match(await alice.post('calls', { callId: 'c1', to: 'desk' }), { delivery: { online: 1, queued: 0 } })
    await bob.expectEvent('call.incoming')
    await watch.expectRefusal('other_device', 'calls/c1/accept')
    await alice.post('calls/c1/cancel')
    await bob.expectEvent('call.ended')
    const { call } = await alice.post('calls', { callId: 'c2', to: 'lead' })
    t.strictSame(statesOf(call as Call), ['lead ringing', 'carol ringing'])
    t.strictSame(askedAbout(scenario, 'c2'), ['carol', 'lead'], 'it is not asked twice about the lead')
    for (const client of [lead, carol]) await client.expectEvent('call.incoming')
    await alice.post('calls/c2/cancel')
    for (const client of [lead, carol]) await client.expectEvent('call.ended')
  },
  { env }
)

flow(
  'a callee whom the policy denies is left out, and a create fails only if none is left',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await scenario.addClient('eve', 'phone')
    const { call } = await alice.post('calls', { callId: 'c1', to: ['eve', 'loop', 'bob', 'nobody'] })
    t.match((call as Call).callees, [
      { user: 'eve', state: 'ended', reason: 'unreachable' },
      { user: 'loop', state: 'ended', reason: 'unreachable' },
      { user: 'bob', state: 'ringing', reason: null },
      { user: 'nobody', state: 'ended', reason: 'unreachable' }
    ])
    await bob.expectEvent('call.incoming')
    await alice.post('calls/c1/cancel')
    await bob.expectEvent('call.ended')
    await alice.expectRefusal('policy_denied', 'calls', { callId: 'c2', to: ['eve'] })
    await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c3', to: ['eve', 'nobody'] })
    await alice.expectRefusal('redirect_loop', 'calls', { callId: 'c4', to: 'loop' })
  },
  { env }
)
