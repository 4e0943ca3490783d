// The policy service redirects calls. Blocks, budgets and leases hold for the user who rings.
import t from 'tap'
import type { CallTimeline } from '../../src/schemas/timeline.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** By the rules of the example: bob is redirected to carol, and so on. */
const forward = {
  bob: 'carol',
  desk: 'office',
  office: 'carol',
  mirror: 'alice',
  ping: 'pong',
  pong: 'ping',
  long1: 'long2',
  long2: 'long3',
  long3: 'long4',
  long4: 'carol',
  away: 'nobody'
}
const service = await PolicyService.start({ forward })
t.teardown(() => service.close())

const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

const questionsOf = (scenario: Scenario, callId: string) =>
  scenario.fromWire(service.received).filter(each => 'callId' in each && each.callId === callId)

const addCarol = (scenario: Scenario) => scenario.addClient('carol', 'phone', { node: scenario.lastNode })

const block = (who: TestClient, scenario: Scenario, user: string) =>
  who.request('PUT', `blocks/${scenario.toPath(user)}`)

flow(
  'a redirected call rings the other user only, and the caller sees whom',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await addCarol(scenario)
    const { call, delivery } = await alice.post('calls', { callId: 'c1', to: 'bob', media: 'audio' })
    t.match(call, { callee: { user: 'carol', device: null }, media: 'audio' })
    t.same(delivery, { online: 1, queued: 0 })
    const incoming = await carol.expectEvent('call.incoming')
    t.notMatch(JSON.stringify(incoming), 'bob', 'the user who rings does not learn who was called')
    t.strictSame(await scenario.store.leases.list(scenario.toWire('bob')), [])
    t.equal((await bob.request('GET', 'calls/c1')).status, 404)
    await bob.expectRefusal('call_not_found', 'calls/c1/accept')
    t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), {
      resolution: 'existing',
      call: { callee: { user: 'carol' } }
    })
    t.match(questionsOf(scenario, 'c1'), [
      { to: 'bob', redirectedFrom: [] },
      { to: 'carol', redirectedFrom: ['bob'] }
    ])
    const { entries } = (await alice.request('GET', 'calls/c1/timeline')).body as unknown as CallTimeline
    t.same(
      entries.map(({ type, outcome }) => [type, outcome].join(' ')),
      ['created ', 'policy redirected', 'policy allowed']
    )
    const hers = (await carol.request('GET', 'calls/c1/timeline')).body
    t.notMatch(JSON.stringify(hers), /policy|redirected|bob/)
    await carol.post('calls/c1/accept')
    t.match(await alice.expectEvent('call.accepted'), { call: { callee: { user: 'carol', device: 'phone' } } })
    await alice.post('calls/c1/hangup')
    await carol.expectEvent('call.ended')
  },
  { env }
)

flow(
  'redirects are followed, but not in a loop, to the caller, or more than three times',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const carol = await addCarol(scenario)
    t.match(await alice.post('calls', { callId: 'c1', to: 'desk' }), { call: { callee: { user: 'carol' } } })
    await carol.expectEvent('call.incoming')
    await alice.post('calls/c1/cancel')
    await carol.expectEvent('call.ended')
    t.match(await alice.post('calls', { callId: 'c2', to: 'long2' }), { call: { callee: { user: 'carol' } } })
    await carol.expectEvent('call.incoming')
    await alice.post('calls/c2/cancel')
    await carol.expectEvent('call.ended')
    for (const to of ['mirror', 'ping', 'long1']) {
      const { status, body } = await alice.request('POST', 'calls', { callId: to, to })
      t.match([status, body.code, body.retryable], [409, 'redirect_loop', false], to)
      t.notMatch(JSON.stringify(body), /pong|long2/, 'the problem names no user')
      t.equal((await alice.request('GET', `calls/${to}`)).status, 404, 'it leaves nothing')
    }
    t.strictSame(await alice.activeCalls(), [])
  },
  { env }
)

flow(
  'the user who rings may be busy or unreachable',
  async (t, scenario) => {
    const [alice, carol] = [await scenario.addClient('alice', 'phone'), await addCarol(scenario)]
    const eve = await scenario.addClient('eve', 'phone')
    await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c1', to: 'away' })
    await eve.post('calls', { callId: 'e1', to: 'carol' })
    await carol.expectEvent('call.incoming')
    await carol.post('calls/e1/accept')
    await eve.expectEvent('call.accepted')
    await alice.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' })
    t.strictSame((await scenario.store.leases.list(scenario.toWire('carol'))).length, 1)
    t.strictSame(await scenario.store.leases.list(scenario.toWire('alice')), [])
    // bob is not needed.
    await eve.post('calls/e1/hangup')
    await carol.expectEvent('call.ended')
    await alice.post('calls', { callId: 'c3', to: 'bob' })
    await carol.expectEvent('call.incoming')
  },
  { env }
)

flow(
  'two creates that are redirected to each other are one call',
  async (t, scenario) => {
    const [alice, carol] = [await scenario.addClient('alice', 'phone'), await addCarol(scenario)]
    await carol.post('calls', { callId: 'k1', to: 'alice' })
    await alice.expectEvent('call.incoming')
    const merged = await alice.post('calls', { callId: 'a1', to: 'bob' })
    t.match(merged, { resolution: 'merged', call: { callId: 'k1', caller: { user: 'carol' } } })
    await carol.expectEvent('call.accepted')
  },
  { env }
)

flow(
  'a redirect gets around no block: that of the user who rings, nor that of the one who was called',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await addCarol(scenario)
    await block(carol, scenario, 'alice')
    const mallory = await scenario.addClient('mallory', 'phone')
    await block(bob, scenario, 'mallory')
    const unreachable = async (who: TestClient, to: string, callId: string) => {
      const { status, body } = await who.request('POST', 'calls', { callId, to })
      return { status, body }
    }
    const expected = await unreachable(alice, 'away', 'x1')
    t.match(expected, { status: 409, body: { code: 'callee_unreachable' } })
    t.same(await unreachable(alice, 'bob', 'x2'), expected, 'carol blocks alice')
    t.same(await unreachable(mallory, 'bob', 'x3'), expected, 'bob blocks mallory')
    t.equal(questionsOf(scenario, 'x3').length, questionsOf(scenario, 'x1').length, 'asked about as much as others')
    await mallory.post('calls', { callId: 'm1', to: 'carol' })
    await carol.expectEvent('call.incoming')
  },
  { env }
)

flow(
  'with OFFLINE_CALLS=ring the call of a blocked caller seems to ring the user to whom it is redirected',
  async (t, scenario) => {
    const [, bob] = await scenario.addAliceAndBob()
    await addCarol(scenario)
    const mallory = await scenario.addClient('mallory', 'phone')
    await block(bob, scenario, 'mallory')
    const seen = await mallory.post('calls', { callId: 'm1', to: 'bob', ringTimeoutMs: 5000 })
    t.match(seen, { call: { state: 'ringing', callee: { user: 'carol' } }, delivery: { online: 0, queued: 0 } })
    t.strictSame(await scenario.store.leases.list(scenario.toWire('carol')), [])
    await scenario.advance(6500)
    t.match(await mallory.expectEvent('call.ended'), { reason: 'no_answer' })
    // The mailbox check at the end fails if carol got an event.
  },
  { env: { ...env, OFFLINE_CALLS: 'ring' } }
)

flow(
  'calls that are redirected to a user count against the budgets of that user',
  async (t, scenario) => {
    const [alice, carol] = [await scenario.addClient('alice', 'phone'), await addCarol(scenario)]
    const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
    await scenario.advance(60_000 - (scenario.now() % 60_000))
    const attempt = async (who: TestClient, callId: string, to: string) => {
      await who.post('calls', { callId, to })
      await carol.expectEvent('call.incoming')
      await who.post(`calls/${callId}/cancel`)
      await carol.expectEvent('call.ended')
    }
    for (const [n, to] of ['bob', 'desk', 'office'].entries()) await attempt(alice, `a${n}`, to)
    const refused = await alice.request('POST', 'calls', { callId: 'a4', to: 'bob' })
    t.match(refused, { status: 429, body: { code: 'rate_limited' } }, 'the pair of alice and carol')
    await attempt(eve, 'e1', 'bob')
    await eve.expectRefusal('rate_limited', 'calls', { callId: 'e2', to: 'desk' })
    t.equal((await eve.request('GET', 'calls/e2')).status, 404)
  },
  { env: { ...env, RATE_LIMIT_CALLS_PER_PAIR: '3', RATE_LIMIT_CALLS_PER_CALLEE: '4' } }
)

flow(
  'the back-off of the user who rings holds for redirected calls',
  async (t, scenario) => {
    const [alice, carol] = [await scenario.addClient('alice', 'phone'), await addCarol(scenario)]
    await alice.post('calls', { callId: 'c1', to: 'carol' })
    await carol.expectEvent('call.incoming')
    await carol.post('calls/c1/reject')
    await alice.expectEvent('call.ended')
    await alice.expectRefusal('rate_limited', 'calls', { callId: 'c2', to: 'bob' })
    await scenario.advance(5000)
    t.match(await alice.post('calls', { callId: 'c3', to: 'bob' }), { call: { callee: { user: 'carol' } } })
    await carol.expectEvent('call.incoming')
  },
  { env: { ...env, CALL_BACKOFF_MS: '5000' } }
)
