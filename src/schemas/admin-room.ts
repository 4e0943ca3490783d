// Rooms as operators see them (openapi/admin.yaml).
import { type Static, Type } from 'typebox'
import { NextPage } from './admin-page.js'
import { ParticipantId, RoomId, Strict, UserId } from './common.js'
import { Participant, Room, RoomAndParticipants } from './room.js'

export const AdminRoomPath = Type.Object({ roomId: RoomId() }, { ...Strict })
export const AdminParticipantPath = Type.Object({ roomId: RoomId(), participantId: ParticipantId() }, { ...Strict })

export const AdminBanPath = Type.Object({ roomId: RoomId(), user: UserId() }, { ...Strict })

export const AdminRoomsReply = Type.Object(
  { rooms: Type.Array(Room, { description: 'Open rooms, in no order.' }), next: NextPage },
  {
    $id: 'AdminRoomsReply',
    description:
      'A page of the open rooms. A room that is open from the first page to the last is on at least one of them; it may be on two, if many rooms begin or end meanwhile.',
    ...Strict
  }
)
export type AdminRoomsReply = Static<typeof AdminRoomsReply>

export const AdminRoomReply = Type.Object(
  {
    ...RoomAndParticipants.properties,
    hidden: Type.Array(Participant, {
      description: 'Hidden participants, such as a recorder. They are in no list that users see.'
    })
  },
  { $id: 'AdminRoomReply', description: 'A room with all its participants.', ...Strict }
)
export type AdminRoomReply = Static<typeof AdminRoomReply>
