// Each thing that the policy service is asked about, while it fails in each way. POLICY_ON_ERROR decides.
import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const service = await PolicyService.start({})
t.teardown(() => service.close())

const json =
  (status: number, body: string): RequestListener =>
  (_request, reply) =>
    void reply.writeHead(status, { 'content-type': 'application/json' }).end(body)

/** What it does instead of answering. */
const FAILURES: Readonly<Record<string, RequestListener | 'down'>> = {
  'is down': 'down',
  'closes the connection': (_request, reply) => void reply.destroy(),
  hangs: () => {},
  'is slow': (_request, reply) => {
    reply.write('{"allow":')
  },
  'replies 500': json(500, '{"allow":true}'),
  redirects: (_request, reply) => void reply.writeHead(308, { location: service.url }).end(),
  'replies with garbage': json(200, '\u0000<html>'),
  'replies with too much': json(200, `{"allow":true${' '.repeat(20_000)}}`),
  'replies with a wrong type': json(200, '{"allow":"true"}'),
  'replies with an unknown member': json(200, '{"allow":true,"redirect":"carol"}'),
  'replies with too large metadata': json(200, `{"allow":true,"metadata":{"text":"${'x'.repeat(4096)}"}}`)
}

/** Runs `check` while the service fails. */
async function whileFailing(t: Test, check: (t: Test, name: string, failure: string) => Promise<void>): Promise<void> {
  for (const [index, [failure, does]] of Object.entries(FAILURES).entries()) {
    if (does === 'down') service.stop()
    else service.failure = does
    try {
      await check(t, `n${index}`, `the service ${failure}`)
    } finally {
      service.failure = null
      if (does === 'down') service.restart()
    }
  }
}

const invite = (who: TestClient, scenario: Scenario, roomId: string, user: string) =>
  who.request('POST', `rooms/${roomId}/invitations`, { users: [scenario.toWire(user)] })

const presenceOf = async (who: TestClient, scenario: Scenario, user: string) => {
  const { body } = await who.request('GET', `presence?users=${scenario.toPath(user)}`)
  return (body.presences as { state: string }[])[0]?.state
}

// Shorter than the default, because each hanging question takes this long. Answers are not waited for in these flows.
const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '150', PRESENCE_VISIBILITY: 'policy' }
const patient = { ...env, POLICY_TIMEOUT_MS: '10000' }

flow(
  'with POLICY_ON_ERROR=deny each request is refused, nothing is left, and users are hidden',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const unavailable = { status: 503, body: { code: 'policy_unavailable', retryable: true } }
    await whileFailing(t, async (t, name, failure) => {
      t.match(await alice.request('POST', 'calls', { callId: name, to: 'bob' }), unavailable, `call: ${failure}`)
      t.match(await alice.request('PUT', `rooms/${name}`, {}), unavailable, `room: ${failure}`)
      t.match(await alice.request('POST', `rooms/${name}/participants`), unavailable, `join: ${failure}`)
      t.equal(await presenceOf(alice, scenario, 'bob'), 'offline', `presence: ${failure}`)
      t.equal((await alice.request('GET', `calls/${name}`)).status, 404)
      t.equal((await alice.request('GET', `rooms/${name}`)).status, 404)
      await scenario.advance(5000)
    })
    t.strictSame(await alice.activeCalls(), [])
    t.strictSame(await scenario.store.leases.list(scenario.toWire('bob')), [])
    t.match((await bob.request('GET', 'snapshot')).body, { calls: [], invitations: [] })
  },
  { env }
)

flow(
  'with POLICY_ON_ERROR=deny no invitee rings if it fails for one of them',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('rooms/r1/participants')
    await whileFailing(t, async (t, _name, failure) => {
      if (/hangs|slow/.test(failure)) return
      const reply = await invite(alice, scenario, 'r1', 'bob')
      t.match(reply, { status: 503, body: { code: 'policy_unavailable' } }, failure)
    })
    t.match(await invite(alice, scenario, 'r1', 'bob'), { status: 201 }, 'it answers again')
    await bob.expectEvent('room.invitation')
  },
  { env: patient }
)

flow(
  'with POLICY_ON_ERROR=allow everything is allowed as it was requested, and users are shown',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await whileFailing(t, async (t, name, failure) => {
      const made = await alice.request('POST', 'calls', { callId: name, to: 'bob', media: 'video' })
      const asRequested = { media: 'video', metadata: {}, callee: { user: 'bob' } }
      t.match(made, { status: 201, body: { call: asRequested } }, `call: ${failure}`)
      await bob.expectEvent('call.incoming')
      const { body } = await alice.request('GET', `calls/${name}/timeline`)
      t.match(body.entries, [{ type: 'created' }, { type: 'policy', outcome: 'failed' }])
      await alice.post(`calls/${name}/cancel`)
      await bob.expectEvent('call.ended')
      t.equal((await alice.request('POST', `rooms/${name}/participants`)).status, 201, `join: ${failure}`)
      t.match(await invite(alice, scenario, name, 'bob'), { status: 201 }, `invitation: ${failure}`)
      await bob.expectEvent('room.invitation')
      t.equal((await alice.request('DELETE', `rooms/${name}`)).status, 204)
      await bob.expectEvent('room.invitation_ended')
      t.equal(await presenceOf(alice, scenario, 'bob'), 'online', `presence: ${failure}`)
      await scenario.advance(5000)
    })
  },
  { env: { ...env, POLICY_ON_ERROR: 'allow' } }
)
