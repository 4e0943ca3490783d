// What the room service says of a room; its side of the contract is openapi/room-service.yaml.
import { type Static, Type } from 'typebox'
import { GRANTS } from './claims.js'
import { ID_PATTERN } from './common.js'
import { Role, RoomBody } from './room.js'

const byUser = { pattern: ID_PATTERN }

/** What we do not know of is ignored: a service may know more of its rooms than we ask for. */
export const ServiceRoom = Type.Object(
  {
    ...RoomBody.properties,
    roles: Type.Optional(Type.Record(Type.String(byUser), Role)),
    grants: Type.Optional(Type.Record(Type.String(byUser), Type.Array(Type.Enum([...GRANTS]))))
  },
  { $id: 'ServiceRoom', description: 'A room as the room service knows it' }
)
export type ServiceRoom = Static<typeof ServiceRoom>
