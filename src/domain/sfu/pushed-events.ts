// The events that a media service pushes, as changes of the room. They are numbered in their session, and the number of the last one that was
// taken is written by the commit that applies them: an event that is pushed again changes nothing.
import type { MediaEvent } from '../../schemas/media-service.js'
import { mergeDecisions, NO_CHANGE, PART, type RoomDecision, type RoomParts } from '../room/state.js'
import { applyMediaEvents } from './service-events.js'
import { sessionIdIn } from './session.js'

export interface TakenEvents {
  readonly sessionId: string
  /** The number of the last event. */
  readonly seq: number
}

export interface NumberedEvents {
  readonly sessionId: string
  /** The number of the first event, from 1. */
  readonly seq: number
  /** Null: of a type that this version does not know. It has a number and changes nothing. */
  readonly events: readonly (MediaEvent | null)[]
}

/** The parts that the rules of these events read, besides PART.settings, PART.sfu and PART.sfuEvents. */
export const partsOfMediaEvents = (events: NumberedEvents['events']): string[] => [
  ...new Set(
    events.flatMap(event =>
      event !== null && 'participantId' in event
        ? [
            PART.participant(event.participantId),
            PART.hidden(event.participantId),
            PART.producersOfParticipant(event.participantId)
          ]
        : []
    )
  )
]

/** Applies the events that were not taken yet, in their order. */
export function takeMediaEvents(parts: RoomParts, { sessionId, seq, events }: NumberedEvents): RoomDecision {
  if (sessionIdIn(parts) !== sessionId) return NO_CHANGE
  const before = parts.get<TakenEvents>(PART.sfuEvents)
  const taken = before?.sessionId === sessionId ? before.seq : 0
  const fresh = events.slice(Math.max(0, taken + 1 - seq))
  if (fresh.length === 0) return NO_CHANGE
  const known = fresh.filter(event => event !== null)
  const record: TakenEvents = { sessionId, seq: seq + events.length - 1 }
  return mergeDecisions({ writes: { [PART.sfuEvents]: record }, events: [] }, applyMediaEvents(parts, sessionId, known))
}
