// What the systems of the operator receive of a change of a room: each event once, whichever participants received it.
import type { RoomDecision, RoomEvent } from './state.js'

type OperatorEvent = Pick<RoomEvent, 'type' | 'data'>

/**
 * A commit may have several events of one type, such as those of all devices of a user who is removed. One that goes to the others and to the
 * device itself has the same data in both.
 */
export function operatorEventsOf(
  roomId: string,
  { events, operatorEvents = [] }: Pick<RoomDecision, 'events' | 'operatorEvents'>
): OperatorEvent[] {
  const all: readonly OperatorEvent[] = [...events, ...operatorEvents]
  const once = new Map(all.map(({ type, data }) => [JSON.stringify([type, data]), { type, data: { roomId, ...data } }]))
  return [...once.values()]
}
