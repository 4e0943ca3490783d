// Presence as others see it, and the snapshot a client starts over from.
import { type Static, Type } from 'typebox'
import { Call, CallCursor } from './call.js'
import { Id, Nullable, Strict, Timestamp } from './common.js'
import { IncomingInvitation } from './invitation.js'
import { RoomSeat } from './room.js'

export const PRESENCE_STATES = ['online', 'away', 'busy', 'offline'] as const

export type PresenceState = (typeof PRESENCE_STATES)[number]

/** So many users may a device watch. */
export const WATCH_MAX = 200

export const Presence = Type.Object(
  {
    user: Id('User id', 'bob'),
    state: Type.Enum([...PRESENCE_STATES], {
      description:
        '`busy`: in a call; `away`: every device that is there says so; `offline`: no device shows a sign of life'
    }),
    devices: Type.Optional(Type.Integer({ minimum: 0, description: 'Devices that are there; only of yourself' })),
    lastSeenAt: Nullable(
      Timestamp('The last sign of life of any device; of others, the minute it was in'),
      'Null when no registered device is known'
    )
  },
  { $id: 'Presence', description: 'All devices of a user as one presence', ...Strict }
)
export type Presence = Static<typeof Presence>

export const PresenceBody = Type.Object(
  { status: Type.Optional(Type.Enum(['online', 'away'], { description: 'What this device says of its person' })) },
  { $id: 'PresenceBody', examples: [{ status: 'away' }], ...Strict }
)
export type PresenceBody = Static<typeof PresenceBody>

export const PresenceReply = Type.Object({ presence: Presence }, { $id: 'PresenceReply', ...Strict })
export const PresencesReply = Type.Object({ presences: Type.Array(Presence) }, { $id: 'PresencesReply', ...Strict })

const { user, state, lastSeenAt } = Presence.properties

export const WatchedPresence = Type.Object(
  {
    ...{ user, state, lastSeenAt },
    version: Type.Integer({
      minimum: 1,
      description:
        'Counts what was noticed of this user while a device watched: the higher one is the newer. 1: nothing is known of this user, or ' +
        'nothing may be shown, and what was shown before does not hold'
    })
  },
  {
    $id: 'WatchedPresence',
    description: 'The presence of a user you watch, as it was last sent; `lastSeenAt` is as of then',
    ...Strict
  }
)
export type WatchedPresence = Static<typeof WatchedPresence>

export const WatchBody = Type.Object(
  {
    users: Type.Array(Id('User id', 'bob'), {
      maxItems: WATCH_MAX,
      description: 'All users that this device wants to watch from now on'
    })
  },
  { $id: 'WatchBody', examples: [{ users: ['bob', 'carol'] }], ...Strict }
)
export type WatchBody = Static<typeof WatchBody>

export const WatchReply = Type.Object({ watching: Type.Array(WatchedPresence) }, { $id: 'WatchReply', ...Strict })
export type WatchReply = Static<typeof WatchReply>

export const PresenceQuery = Type.Object(
  {
    users: Type.String({
      pattern: '^[A-Za-z0-9._~@-]{1,128}(,[A-Za-z0-9._~@-]{1,128}){0,99}$',
      description: 'Up to 100 user ids, separated by commas',
      examples: ['alice,bob']
    })
  },
  { ...Strict }
)

export const Snapshot = Type.Object(
  {
    cursor: CallCursor,
    calls: Type.Array(Call, { description: 'Your live calls' }),
    rooms: Type.Array(RoomSeat, { description: 'The rooms your devices are in' }),
    invitations: Type.Array(IncomingInvitation, { description: 'The rooms that ring for you' }),
    presence: Presence,
    watching: Type.Array(WatchedPresence, { description: 'The users this device watches' })
  },
  {
    $id: 'Snapshot',
    description: 'Where things stand. Read the cursor’s stream from here and nothing is missed',
    ...Strict
  }
)
export type Snapshot = Static<typeof Snapshot>
