// The event about somebody's presence.
import { Type } from 'typebox'
import { Strict, Timestamp } from './common.js'
import { WatchedPresence } from './presence.js'

export const PRESENCE_EVENTS = [
  Type.Object(
    {
      type: Type.Literal('presence.changed'),
      timestamp: Timestamp('When it was decided'),
      data: WatchedPresence
    },
    { $id: 'PresenceChangedEvent', description: 'The state of a user this device watches has changed', ...Strict }
  )
] as const
