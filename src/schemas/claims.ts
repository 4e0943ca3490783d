// The authenticated user and device of a request, from a verified token or ticket.
import { type Static, Type } from 'typebox'
import { ID_PATTERN, Strict } from './common.js'
import { Role, RoomMode } from './room.js'

/** What a user may do in a room. `publish` and `subscribe` cover all sources of media; with a source they cover this one only. */
export const GRANTS = [
  ...(['join', 'signal', 'chat'] as const),
  ...(['publish', 'publish:audio', 'publish:video', 'publish:screen'] as const),
  ...(['subscribe', 'subscribe:audio', 'subscribe:video', 'subscribe:screen'] as const),
  ...(['moderate', 'manage'] as const)
] as const
/** Only a token gives it: its participant is not shown to others, receives, and sends nothing. */
const HIDDEN = 'hidden'
export type Grant = (typeof GRANTS)[number] | typeof HIDDEN

const RoomClaim = Type.Object(
  {
    role: Type.Optional(Role),
    grants: Type.Optional(
      Type.Array(Type.Enum([...GRANTS, HIDDEN]), { description: 'Exactly these grants, instead of those of the role.' })
    ),
    /** Of a room that this user creates. */
    mode: Type.Optional(RoomMode)
  },
  { ...Strict }
)
export type RoomClaim = Static<typeof RoomClaim>

/** The claim `rooms`: by room id, or `*` for any. A token that has it is good for these rooms only. */
export const RoomClaims = Type.Record(Type.String({ pattern: ID_PATTERN }), RoomClaim, {
  ...Strict
})
export type RoomClaims = Static<typeof RoomClaims>

export interface Actor {
  /** The claim that JWT_USER_CLAIM names. */
  readonly user: string
  /** The claim that JWT_DEVICE_CLAIM names, or the X-Device-Id header, or the `device` query parameter on event routes, or `default`. */
  readonly device: string
  /** When the token expires, in milliseconds since the epoch. Null: never, in development only. */
  readonly expiresAt: number | null
  /** When the token was issued, in milliseconds since the epoch. Null or missing: it does not say, and any revocation refuses it. */
  readonly issuedAt?: number | null
  /** The token's claim `rooms`; without one every room is open, to the role that the room gives. */
  readonly rooms?: RoomClaims
  /** Set if `rooms` comes from the room service instead of the token: whether it names this user or applies to every user. */
  readonly served?: 'named' | 'unnamed'
}
