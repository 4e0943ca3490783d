// The policy service is asked before a call rings, and for each invited user.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** The requests so far. The service refuses to ring `sleeper`, and replies 500 for `stranger`. */
const received: Record<string, unknown>[] = []
const service = createServer(async (request, reply) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const policyRequest = JSON.parse(text)
  received.push(policyRequest)
  if (policyRequest.to.startsWith('stranger')) return void reply.writeHead(500).end()
  const allow = !policyRequest.to.startsWith('sleeper')
  reply.end(JSON.stringify(allow ? { allow } : { allow, reason: 'Not at night' }))
}).listen(0, '127.0.0.1')
await once(service, 'listening')
t.teardown(() => void service.close().closeAllConnections())

const env = { POLICY_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}/ask` }

/** The requests of this scenario about a user. */
const requestsAbout = (scenario: Scenario, to: string) => scenario.fromWire(received).filter(each => each.to === to)

const invite = (who: TestClient, scenario: Scenario, users: string[], more = {}) =>
  who.request('POST', 'rooms/r1/invitations', { users: users.map(user => scenario.toWire(user)), ...more })

flow(
  'users whom it allows ring, the others are listed in `refused`, and it is asked once about each',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const sleeper = await scenario.addClient('sleeper', 'phone')
    await alice.expectRefusal('policy_denied', 'calls', { callId: 'c1', to: 'sleeper' })
    await alice.request('PUT', 'rooms/r1', { callType: 'audio' })
    await alice.post('rooms/r1/participants')
    const metadata = { topic: 'lunch' }
    const { status, body } = await invite(alice, scenario, ['bob', 'sleeper', 'alice'], { metadata })
    t.equal(status, 201)
    t.match(body, {
      invitations: [{ user: 'bob', state: 'ringing' }],
      refused: [
        { user: 'sleeper', reason: 'policy', detail: 'Not at night' },
        { user: 'alice', reason: 'self' }
      ]
    })
    const { invitationId } = await bob.expectEvent('room.invitation')
    const expected = {
      action: 'invitation',
      roomId: 'r1',
      invitationId,
      caller: alice.endpoint,
      to: 'bob',
      media: 'audio',
      metadata
    }
    t.strictSame(requestsAbout(scenario, 'bob'), [expected])
    t.match(await invite(alice, scenario, ['bob']), { status: 200, body: { invitations: [{ invitationId }] } })
    t.equal(requestsAbout(scenario, 'bob').length, 1, 'not again while the invitation rings')
    t.equal(requestsAbout(scenario, 'alice').length, 0, 'not about a user who cannot be invited')
    t.match(await sleeper.request('GET', 'snapshot'), { body: { invitations: [] } })
    const outside = await scenario.addClient('mallory', 'phone')
    t.match(await invite(outside, scenario, ['sleeper']), { body: { code: 'room_not_found' } })
    t.equal(requestsAbout(scenario, 'sleeper').length, 2, 'not on behalf of a user who may not invite')
  },
  { env }
)

flow(
  'no user rings when it fails',
  async (t, scenario) => {
    const [alice] = await scenario.addAliceAndBob()
    await scenario.addClient('stranger', 'phone')
    await alice.post('rooms/r1/participants')
    t.match(await invite(alice, scenario, ['bob', 'stranger']), { status: 503, body: { code: 'policy_unavailable' } })
    await alice.expectRefusal('policy_unavailable', 'calls', { callId: 'c1', to: 'stranger' })
  },
  { env }
)
