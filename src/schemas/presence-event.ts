// The event about a user's presence.
import { WatchedPresence } from './presence.js'
import { Event } from './stream.js'

export const PRESENCE_EVENTS = [
  Event('presence.changed', WatchedPresence, {
    name: 'PresenceChangedEvent',
    description: 'The presence of a user you watch has changed.'
  })
] as const
