// The event about a user's presence.
import { WatchedPresence } from './presence.js'
import { Event } from './stream.js'

export const PRESENCE_EVENTS = [
  Event('presence.changed', 'The presence of a user you watch has changed.', WatchedPresence)
] as const
