// Who is asking: what a verified token or ticket says, after it has been checked against the contract's id pattern.

import { type Static, Type } from 'typebox'
import { ID_PATTERN, Strict } from './common.js'
import { Role } from './room.js'

/** What somebody may do in a room. */
export const GRANTS = ['join', 'signal', 'chat', 'publish', 'moderate', 'manage'] as const
export type Grant = (typeof GRANTS)[number]

const RoomClaim = Type.Object(
  {
    role: Type.Optional(Role),
    grants: Type.Optional(
      Type.Array(Type.Enum([...GRANTS]), { description: 'Exactly these; else what the role allows' })
    )
  },
  { ...Strict }
)
export type RoomClaim = Static<typeof RoomClaim>

/** The claim `rooms`: by room id, or `*` for any. A token that has it is good for these rooms only. */
export const RoomClaims = Type.Record(Type.String({ pattern: `^(\\*|${ID_PATTERN.slice(1, -1)})$` }), RoomClaim, {
  ...Strict
})
export type RoomClaims = Static<typeof RoomClaims>

export interface Actor {
  /** The token's `sub`. */
  readonly user: string
  /** The claim `device`, or the X-Device-Id header, or the `device` query parameter on event routes, or `default`. */
  readonly device: string
  /** When the token expires, milliseconds since the epoch; null when it never does, which is for development only. */
  readonly expiresAt: number | null
  /** The token's claim `rooms`; without one every room is open, to the role that the room gives. */
  readonly rooms?: RoomClaims
  /** `rooms` is the room service's answer, which names the user or gives them what everybody gets; not the token's. */
  readonly served?: 'named' | 'unnamed'
}
