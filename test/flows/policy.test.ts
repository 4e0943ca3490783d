// The policy service is asked before a call rings: it allows, denies, or rewrites the call.
import t from 'tap'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import type { CallTimeline } from '../../src/schemas/timeline.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const NAME = { name: 'Alice of Accounting' }

/** What it answers about a call to this user. All others may be called. */
const ANSWERS: Readonly<Record<string, object>> = {
  sleeper: { allow: false, reason: 'Not at night' },
  hermit: { allow: false },
  radio: { allow: true, media: 'audio', metadata: NAME, ringTimeoutMs: 5000, maxDurationMs: 60_000 },
  short: { allow: true, maxDurationMs: 3_600_000 },
  cached: { allow: true, metadata: NAME, holdsMs: 60_000 },
  shut: { allow: false, reason: 'Closed', holdsMs: 60_000 }
}

const service = await PolicyService.start((question: PolicyQuestion) => {
  const answer = 'to' in question ? ANSWERS[question.to] : undefined
  return answer ?? { allow: true }
})
t.teardown(() => service.close())

// Machines that run other tests may be slow to answer.
const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

/** The questions of this scenario about a user. */
const questionsAbout = (scenario: Scenario, to: string) =>
  scenario.fromWire(service.received).filter(each => 'to' in each && each.to === to)

/** The entries of the policy service in the timeline of a call. */
const policyLines = async (who: TestClient, callId: string) => {
  const { body } = await who.request('GET', `calls/${callId}/timeline`)
  return (body as unknown as CallTimeline).entries.filter(({ type }) => type === 'policy')
}

const ask = async (who: TestClient, callId: string, to: string, more = {}) =>
  who.request('POST', 'calls', { callId, to, ...more })

flow(
  'a call that it allows rings, and a repeat is not asked about again',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const body = { media: 'video', metadata: { topic: 'lunch' }, ringTimeoutMs: 20_000 }
    t.match(await ask(alice, 'c1', 'bob', body), { status: 201, body: { resolution: 'created' } })
    await bob.expectEvent('call.incoming')
    const asked = { action: 'call', callId: 'c1', caller: alice.endpoint, to: 'bob', redirectedFrom: [], ...body }
    t.strictSame(questionsAbout(scenario, 'bob'), [asked])
    t.match(await policyLines(alice, 'c1'), [{ outcome: 'allowed' }])
    alice.useNode(scenario.lastNode)
    t.match(await ask(alice, 'c1', 'bob', body), { status: 200, body: { resolution: 'existing' } })
    await alice.post('calls/c1/cancel')
    await bob.expectEvent('call.ended')
    t.match(await ask(alice, 'c1', 'bob', body), { status: 200, body: { call: { state: 'ended' } } })
    t.equal(questionsAbout(scenario, 'bob').length, 1)
    t.match(await ask(alice, 'c2', 'bob'), { status: 201 })
    await bob.expectEvent('call.incoming')
    t.match(questionsAbout(scenario, 'bob')[1], { callId: 'c2', media: null, metadata: {}, ringTimeoutMs: 30_000 })
  },
  { env }
)

flow(
  'a call that it denies leaves nothing, and a retry is asked about anew',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    await scenario.addClient('sleeper', 'phone', { node: scenario.lastNode })
    await scenario.addClient('hermit', 'phone')
    for (let round = 1; round <= 2; round++) {
      const denied = await ask(alice, 'c1', 'sleeper')
      t.match(denied, { status: 403, body: { code: 'policy_denied', detail: 'Not at night', retryable: false } })
      t.equal(questionsAbout(scenario, 'sleeper').length, round)
    }
    t.match(await ask(alice, 'c2', 'hermit'), { body: { code: 'policy_denied', detail: /refused this/ } })
    t.equal((await alice.request('GET', 'calls/c1')).status, 404)
    t.equal((await alice.request('GET', 'calls/c1/timeline')).status, 404)
    for (const user of ['alice', 'sleeper'])
      t.strictSame(await scenario.store.leases.list(scenario.toWire(user)), [], `${user} has no lease`)
    t.strictSame(await alice.activeCalls(), [])
  },
  { env }
)

flow(
  'it changes what the call is for, its metadata, its ring time and its maximum duration, for both sides',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const radio = await scenario.addClient('radio', 'phone', { node: scenario.lastNode })
    const { body } = await ask(alice, 'c1', 'radio', { media: 'video', metadata: { name: 'The bank' } })
    const rewritten = { media: 'audio', metadata: NAME, callee: { user: 'radio' } }
    t.match(body.call, { ...rewritten, expiresInMs: 5000 })
    t.strictSame((body.call as { metadata: object }).metadata, NAME, 'nothing is left of the metadata of the caller')
    t.match(await radio.expectEvent('call.incoming'), { media: 'audio', metadata: NAME, call: rewritten })
    await radio.post('calls/c1/accept')
    t.match(await alice.expectEvent('call.accepted'), { call: rewritten })
    t.match(await policyLines(alice, 'c1'), [{ type: 'policy', event: 'call', outcome: 'rewritten', by: null }])
    t.same(await policyLines(radio, 'c1'), [], 'the callee does not see it')
    await alice.post('calls/c1/connected')
    await radio.expectEvent('call.connected')
    t.match(await radio.call('c1'), { ...rewritten, state: 'connected', expiresInMs: 60_000 })
    await scenario.advance(60_500)
    for (const who of [alice, radio]) t.match(await who.expectEvent('call.ended'), { reason: 'expired' })
  },
  { env: { ...env, PRESENCE_TTL_MS: '300000' } }
)

flow(
  'the maximum duration of the server holds as well',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const short = await scenario.addClient('short', 'phone')
    await ask(alice, 'c1', 'short')
    await short.expectEvent('call.incoming')
    await short.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/connected')
    await short.expectEvent('call.connected')
    t.match(await alice.call('c1'), { expiresInMs: 60_000 })
  },
  { env: { ...env, MAX_CALL_DURATION_MS: '60000' } }
)

flow(
  'an answer that holds is used for the same question of another call, and for no other question',
  async (t, scenario) => {
    const [alice, eve] = [await scenario.addClient('alice', 'phone'), await scenario.addClient('eve', 'phone')]
    const callee = await scenario.addClient('cached', 'phone')
    let calls = 0
    const ring = async (who: TestClient, more = {}) => {
      const callId = `c${calls++}`
      t.match(await ask(who, callId, 'cached', more), { status: 201, body: { call: { metadata: NAME } } })
      await callee.expectEvent('call.incoming')
      await who.post(`calls/${callId}/cancel`)
      await callee.expectEvent('call.ended')
      return questionsAbout(scenario, 'cached').length
    }
    t.equal(await ring(alice), 1)
    t.equal(await ring(alice), 1, 'cached')
    t.equal(await ring(alice, { media: 'video' }), 2, 'another medium')
    t.equal(await ring(alice, { metadata: { topic: 'lunch' } }), 3, 'other metadata')
    t.equal(await ring(eve), 4, 'another caller')
    await scenario.advance(59_000)
    t.equal(await ring(alice), 4, 'the answer still holds')
    await scenario.advance(2000)
    t.equal(await ring(alice), 5, 'it has expired')
    for (const callId of ['d1', 'd2'])
      t.match(await ask(alice, callId, 'shut'), { status: 403, body: { detail: 'Closed' } })
    t.equal(questionsAbout(scenario, 'shut').length, 1, 'a denial holds, too')
  },
  { env }
)

flow(
  'it is asked about a callee whom no device makes reachable, and not by a caller who has to wait',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    t.match(await ask(alice, 'c1', 'nobody'), { status: 409, body: { code: 'callee_unreachable' } })
    t.equal(questionsAbout(scenario, 'nobody').length, 1)
    await ask(alice, 'c2', 'bob')
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c2/reject')
    await alice.expectEvent('call.ended')
    t.match(await ask(alice, 'c3', 'bob'), { status: 429 })
    t.match(await ask(alice, 'c4', 'alice'), { status: 400, body: { code: 'cannot_call_self' } })
    t.equal(questionsAbout(scenario, 'bob').length, 1)
    t.equal(questionsAbout(scenario, 'alice').length, 0)
  },
  { env: { ...env, CALL_BACKOFF_MS: '5000' } }
)
