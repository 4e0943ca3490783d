// People in a room, as stories use them.

import type { Stage } from './scenario.js'
import type { Person } from './test-client.js'

export interface Seat {
  readonly who: Person
  readonly id: string
}

export async function join(who: Person, room: string, body = {}): Promise<Seat> {
  const reply = await who.does(`rooms/${room}/participants`, body)
  return { who, id: String(reply.participantId) }
}

/** Alice makes the room, bob and carol follow; everybody has heard of everybody. */
export async function meet(stage: Stage, room = 'r1'): Promise<[alice: Seat, bob: Seat, carol: Seat]> {
  const [a, b] = await stage.enterBoth()
  const c = await stage.enter('carol', 'tablet', { node: stage.far })
  const alice = await join(a, room)
  const bob = await join(b, room)
  const carol = await join(c, room)
  await a.hearsAll('room.participant_joined', 'room.participant_joined')
  await b.hears('room.participant_joined')
  return [alice, bob, carol]
}
