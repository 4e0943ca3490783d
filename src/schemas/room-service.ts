// A room as the room service describes it (openapi/room-service.yaml).
import { type Static, Type } from 'typebox'
import { GRANTS } from './claims.js'
import { ID_PATTERN, Strict } from './common.js'
import { ROOM_PARTICIPANTS_MAX, Role, RoomRequest } from './room.js'

const byUser = { pattern: ID_PATTERN }
/** At most as many users as a room may have participants. */
const forUsers = { ...Strict, maxProperties: ROOM_PARTICIPANTS_MAX }

/** Strict and never empty, so that an error page of a broken service or proxy is not accepted as a room. */
export const RoomDefinition = Type.Object(
  {
    ...RoomRequest.properties,
    roles: Type.Optional(Type.Record(Type.String(byUser), Role, forUsers)),
    grants: Type.Optional(Type.Record(Type.String(byUser), Type.Array(Type.Enum([...GRANTS])), forUsers))
  },
  { $id: 'RoomDefinition', description: 'A room as the room service knows it', minProperties: 1, ...Strict }
)
export type RoomDefinition = Static<typeof RoomDefinition>
