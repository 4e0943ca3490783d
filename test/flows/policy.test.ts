// A service that is asked before anything rings: for a call, and for each user who is invited.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

/** What it was asked, as it came. It lets nobody ring a sleeper, and has no opinion of a stranger. */
const asked: Record<string, unknown>[] = []
const service = createServer(async (request, reply) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const question = JSON.parse(text)
  asked.push(question)
  if (question.to.startsWith('stranger')) return void reply.writeHead(500).end()
  const allow = !question.to.startsWith('sleeper')
  reply.end(JSON.stringify(allow ? { allow } : { allow, reason: 'Not at night' }))
}).listen(0, '127.0.0.1')
await once(service, 'listening')
t.teardown(() => void service.close().closeAllConnections())

const env = { POLICY_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}/ask` }

/** What it was asked in the story about who must ring. */
const askedOf = (scenario: Scenario, to: string) => scenario.fromWire(asked).filter(each => each.to === to)

const invite = (who: TestClient, scenario: Scenario, users: string[], more = {}) =>
  who.request('POST', 'rooms/r1/invitations', { users: users.map(user => scenario.toWire(user)), ...more })

flow(
  'those it allows ring, those it does not are named, and nobody is asked about twice',
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
    const question = {
      action: 'invitation',
      roomId: 'r1',
      invitationId,
      caller: alice.endpoint,
      to: 'bob',
      media: 'audio',
      metadata
    }
    t.strictSame(askedOf(scenario, 'bob'), [question])
    t.match(await invite(alice, scenario, ['bob']), { status: 200, body: { invitations: [{ invitationId }] } })
    t.equal(askedOf(scenario, 'bob').length, 1, 'it rings already')
    t.equal(askedOf(scenario, 'alice').length, 0, 'nor about who will not ring anyway')
    t.match(await sleeper.request('GET', 'snapshot'), { body: { invitations: [] } })
    const outside = await scenario.addClient('mallory', 'phone')
    t.match(await invite(outside, scenario, ['sleeper']), { body: { code: 'room_not_found' } })
    t.equal(askedOf(scenario, 'sleeper').length, 2, 'nor on behalf of who may not')
  },
  { env }
)

flow(
  'when it does not answer nobody rings',
  async (t, scenario) => {
    const [alice] = await scenario.addAliceAndBob()
    await scenario.addClient('stranger', 'phone')
    await alice.post('rooms/r1/participants')
    t.match(await invite(alice, scenario, ['bob', 'stranger']), { status: 503, body: { code: 'policy_unavailable' } })
    await alice.expectRefusal('policy_unavailable', 'calls', { callId: 'c1', to: 'stranger' })
  },
  { env }
)
