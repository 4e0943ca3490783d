// People in a room, as stories use them.

import type { Scenario } from './scenario.js'
import type { TestClient } from './test-client.js'

export interface Seat {
  readonly who: TestClient
  readonly id: string
}

export async function join(who: TestClient, room: string, body = {}): Promise<Seat> {
  const reply = await who.post(`rooms/${room}/participants`, body)
  return { who, id: String(reply.participantId) }
}

/** Alice makes the room, bob and carol follow; everybody has heard of everybody. */
export async function meet(scenario: Scenario, room = 'r1'): Promise<[alice: Seat, bob: Seat, carol: Seat]> {
  const [a, b] = await scenario.addAliceAndBob()
  const c = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  const alice = await join(a, room)
  const bob = await join(b, room)
  const carol = await join(c, room)
  await a.expectEvents('room.participant_joined', 'room.participant_joined')
  await b.expectEvent('room.participant_joined')
  return [alice, bob, carol]
}
