// Clients that have joined a room.
import type { Scenario } from './scenario.js'
import type { TestClient } from './test-client.js'

export interface JoinedClient {
  readonly who: TestClient
  /** Its participant id. */
  readonly id: string
}

export async function join(who: TestClient, room: string, body = {}): Promise<JoinedClient> {
  const reply = await who.post(`rooms/${room}/participants`, body)
  return { who, id: String(reply.participantId) }
}

/** Alice creates the room, bob and carol join. All have received the events of these joins. */
export async function meet(
  scenario: Scenario,
  room = 'r1'
): Promise<[alice: JoinedClient, bob: JoinedClient, carol: JoinedClient]> {
  const [a, b] = await scenario.addAliceAndBob()
  const c = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  const alice = await join(a, room)
  const bob = await join(b, room)
  const carol = await join(c, room)
  await a.expectEvents('room.participant_joined', 'room.participant_joined')
  await b.expectEvent('room.participant_joined')
  return [alice, bob, carol]
}
