// The event about a user's presence.
import { Type } from 'typebox'
import { Strict, Timestamp } from './common.js'
import { WatchedPresence } from './presence.js'
import { EventId } from './stream.js'

export const PRESENCE_EVENTS = [
  Type.Object(
    {
      id: EventId,
      type: Type.Literal('presence.changed'),
      timestamp: Timestamp('When it happened.'),
      data: WatchedPresence
    },
    { $id: 'PresenceChangedEvent', description: 'The presence of a user you watch has changed.', ...Strict }
  )
] as const
