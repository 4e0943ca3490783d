// Users as operators see them (openapi/admin.yaml).
import { type Static, Type } from 'typebox'
import { Call } from './call.js'
import { DeviceId, Nullable, ParticipantId, RoomId, Strict, Timestamp, UserId } from './common.js'
import { Presence } from './presence.js'

export const AdminUserPath = Type.Object({ user: UserId() }, { ...Strict })
export const AdminDevicePath = Type.Object({ user: UserId(), deviceId: DeviceId() }, { ...Strict })

export const RefuseTokensRequest = Type.Object(
  {
    issuedAfter: Timestamp(
      'Tokens that were issued at this time or before (claim `iat`), or that do not say when, are refused. At most a year ahead: until then, new ' +
        'tokens are refused too.'
    )
  },
  { $id: 'RefuseTokensRequest', ...Strict }
)
export type RefuseTokensRequest = Static<typeof RefuseTokensRequest>

export const RevocationView = Type.Object(
  {
    device: Nullable(DeviceId(), 'Null: it is about all devices of the user.'),
    kind: Type.Enum(['sign_out', 'tokens'], {
      $id: 'RevocationKind',
      description: '`sign_out`: the user or device was signed out. `tokens`: earlier tokens are refused.'
    }),
    issuedAfter: Timestamp('Tokens that were issued at this time or before, or that do not say when, are refused.'),
    changedAt: Timestamp('When it was last changed.'),
    expiresAt: Timestamp('Until when it holds, see `REVOCATION_DAYS`.')
  },
  { $id: 'Revocation', description: 'Which tokens of a user or device are refused although they are valid.', ...Strict }
)
export type RevocationView = Static<typeof RevocationView>

export const RevocationReply = Type.Object(
  { revocation: RevocationView },
  { $id: 'RevocationReply', description: 'The revocation in force.', ...Strict }
)
export type RevocationReply = Static<typeof RevocationReply>

const AdminDevice = Type.Object(
  {
    device: DeviceId(),
    online: Type.Boolean({ description: 'Whether it has an open stream or poll, or had one a moment ago.' }),
    node: Nullable(
      Type.String({ examples: ['Zk3_aQ'] }),
      'The short name of the node that serves, or served last, its stream or poll. Null: it has had none.'
    ),
    lastSeenAt: Timestamp('Its last keepalive.'),
    status: Nullable(Type.String(), 'The status that the device has set.')
  },
  { $id: 'AdminDevice', description: 'A registered device.', ...Strict }
)
export type AdminDevice = Static<typeof AdminDevice>

export const AdminUserReply = Type.Object(
  {
    presence: Presence,
    devices: Type.Array(AdminDevice, { description: 'Registered devices, in no order.' }),
    calls: Type.Array(Call, { description: 'Live calls, oldest first.' }),
    rooms: Type.Array(
      Type.Object(
        { roomId: RoomId(), device: DeviceId(), participantId: ParticipantId() },
        { $id: 'AdminMembership', description: 'A device of the user in a room.', ...Strict }
      ),
      { description: 'The rooms that the devices are in. A hidden participant is listed in the room only.' }
    ),
    revocations: Type.Array(RevocationView, { description: 'That of all devices first.' })
  },
  {
    $id: 'AdminUserReply',
    description: 'A user. Signalpost has no list of users: one who never connected is empty.',
    ...Strict
  }
)
export type AdminUserReply = Static<typeof AdminUserReply>
