// Two who negotiate, in a call and in a room: what holds for one holds for the other.
import type { Scenario } from './scenario.js'
import type { TestClient } from './test-client.js'

export interface Place {
  readonly offerer: TestClient
  readonly answerer: TestClient
  readonly path: string
  /** Members of the body of an offer, and of an answer. */
  readonly toAnswerer: Readonly<Record<string, string>>
  readonly toOfferer: Readonly<Record<string, string>>
}

/** Two in a call that was answered, and two in a room. */
export async function places(scenario: Scenario): Promise<Place[]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  const carol = await scenario.addClient('carol', 'phone')
  const dave = await scenario.addClient('dave', 'phone', { node: scenario.lastNode })
  const carolsId = String((await carol.post('rooms/r1/participants')).participantId)
  const davesId = String((await dave.post('rooms/r1/participants')).participantId)
  await carol.expectEvent('room.participant_joined')
  return [
    { offerer: alice, answerer: bob, path: 'calls/c1', toAnswerer: {}, toOfferer: {} },
    { offerer: carol, answerer: dave, path: 'rooms/r1', toAnswerer: { to: davesId }, toOfferer: { to: carolsId } }
  ]
}

/** Sends a description as `application/sdp`. */
export async function postSdp(
  scenario: Scenario,
  from: TestClient,
  { path, text }: { path: string; text: string | Buffer }
) {
  const [kind, id = '', rest] = path.split('/')
  const reply = await fetch(`${scenario.urlOf(0)}/v1/${kind}/${scenario.toPath(id)}/${rest}`, {
    method: 'POST',
    headers: { ...from.credentials.headers, 'content-type': 'application/sdp' },
    body: text
  })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
}
