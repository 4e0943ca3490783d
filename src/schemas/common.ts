// The small types every part of the wire contract is made of.
import { type Static, type TSchema, Type } from 'typebox'

/** Ids chosen by clients: users, devices, calls. No character in it needs escaping in a URL, a header, a Redis key or an SSE line; `.` and `..` are no path segments. */
export const ID_PATTERN = '^(?!\\.{1,2}$)[A-Za-z0-9._~@-]{1,128}$'

export const Id = (description: string, example?: string) =>
  Type.String({ pattern: ID_PATTERN, description, ...(example ? { examples: [example] } : {}) })

export const Nullable = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description ? { description } : {})

export const Timestamp = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-11-21T10:00:00.000Z'] })

export const DurationMs = (description: string) => Type.Integer({ minimum: 0, description })

/** An object that refuses unknown members. */
export const Strict = { additionalProperties: false } as const

export const Endpoint = Type.Object(
  { user: Id('User id (the token’s `sub`)', 'alice'), device: Id('Device id', 'phone') },
  { $id: 'Endpoint', description: 'One device of one user', ...Strict }
)
export type Endpoint = Static<typeof Endpoint>

/** Free-form data of the application: at most 4 KiB as JSON. */
export const Metadata = Type.Record(Type.String({ maxLength: 128 }), Type.Unknown(), {
  description: 'Data of your application, handed on as it is. At most 4 KiB as JSON.',
  maxProperties: 64
})

export const Delivery = Type.Object(
  {
    online: Type.Integer({ minimum: 0, description: 'Devices of the recipient with an open stream or poll' }),
    queued: Type.Integer({ minimum: 0, description: 'Devices whose mailbox keeps it for their return' })
  },
  { $id: 'Delivery', description: 'Where the event went', ...Strict }
)
export type Delivery = Static<typeof Delivery>
