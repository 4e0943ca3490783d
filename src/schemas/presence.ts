// Presence as others see it, and the snapshot.
import { type Static, Type } from 'typebox'
import { Call, CallCursor } from './call.js'
import { Nullable, Strict, Timestamp, UserId } from './common.js'
import { IncomingInvitation } from './invitation.js'
import { JoinedRoom } from './room.js'

export const PRESENCE_STATES = ['online', 'away', 'busy', 'offline'] as const

export type PresenceState = (typeof PRESENCE_STATES)[number]

/** Users that a device may watch. */
export const WATCH_MAX = 200

export const Presence = Type.Object(
  {
    user: UserId(),
    state: Type.Enum([...PRESENCE_STATES], {
      $id: 'PresenceState',
      description:
        '`online`: a device is there: it has an open stream or poll, or its last keepalive is less than `PRESENCE_TTL_MS` old. `away`: every ' +
        'device that is there has the status `away`. `busy`: in a call. `offline`: no device is there.'
    }),
    devices: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Number of devices that are there. Given for yourself only.' })
    ),
    lastSeenAt: Nullable(
      Timestamp(
        'When any device was last active; for other users, rounded down to the minute. Null if no device is registered.'
      )
    )
  },
  { $id: 'Presence', description: 'The presence of a user, over all devices.', ...Strict }
)
export type Presence = Static<typeof Presence>

export const UpdatePresenceRequest = Type.Object(
  {
    status: Type.Optional(
      Type.Enum(['online', 'away'], { $id: 'DeviceStatus', description: 'The status of the user at this device.' })
    )
  },
  { $id: 'UpdatePresenceRequest', ...Strict }
)
export type UpdatePresenceRequest = Static<typeof UpdatePresenceRequest>

export const PresenceReply = Type.Object({ presence: Presence }, { $id: 'PresenceReply', ...Strict })
export const PresencesReply = Type.Object({ presences: Type.Array(Presence) }, { $id: 'PresencesReply', ...Strict })

const { user, state, lastSeenAt } = Presence.properties

export const WatchedPresence = Type.Object(
  {
    ...{ user, state, lastSeenAt },
    version: Type.Integer({
      minimum: 1,
      description:
        'A higher version is newer. 1: nothing is known about this user, or you may not see their presence; discard what you had.'
    })
  },
  {
    $id: 'WatchedPresence',
    description: 'The presence of a user you watch, as of the last change.',
    ...Strict
  }
)
export type WatchedPresence = Static<typeof WatchedPresence>

export const WatchUsersRequest = Type.Object(
  {
    users: Type.Array(UserId(), {
      maxItems: WATCH_MAX,
      description: 'All users this device watches from now on.'
    })
  },
  { $id: 'WatchUsersRequest', ...Strict }
)
export type WatchUsersRequest = Static<typeof WatchUsersRequest>

export const WatchedUsersReply = Type.Object(
  { watching: Type.Array(WatchedPresence) },
  { $id: 'WatchedUsersReply', ...Strict }
)
export type WatchedUsersReply = Static<typeof WatchedUsersReply>

/** Users of one look-up. */
export const LOOK_UP_MAX = 100

export const PresenceQuery = Type.Object({
  user: Type.Optional(
    Type.Array(UserId(), {
      maxItems: LOOK_UP_MAX,
      description: 'A user id; repeat it for more, up to 100: `user=alice&user=auth0%7C507f`.'
    })
  ),
  users: Type.Optional(
    Type.String({
      description: 'The same in one member, up to 100, separated by commas, for ids without commas.',
      examples: ['alice,bob']
    })
  )
})
export type PresenceQuery = Static<typeof PresenceQuery>

export const Snapshot = Type.Object(
  {
    cursor: CallCursor,
    calls: Type.Array(Call, { description: 'Your calls that have not ended.' }),
    rooms: Type.Array(JoinedRoom, { description: 'The rooms this device is in.' }),
    invitations: Type.Array(IncomingInvitation, { description: 'The invitations that are ringing for you.' }),
    presence: Presence,
    watching: Type.Array(WatchedPresence, { description: 'The users this device watches.' })
  },
  {
    $id: 'Snapshot',
    description:
      'The current state. A stream or poll that starts at `cursor` continues from it without a gap. If calls are ringing for you, the cursor lies ' +
      'before the `call.incoming` of the oldest: it has the offer, which is in no state.',
    ...Strict
  }
)
export type Snapshot = Static<typeof Snapshot>
