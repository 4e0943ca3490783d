// What a client hands to RTCPeerConnection as `iceServers`.
import { type Static, Type } from 'typebox'
import { DurationMs, Nullable, Strict } from './common.js'

export const IceServer = Type.Object(
  {
    urls: Type.Array(Type.String(), {
      minItems: 1,
      description: 'STUN or TURN URLs',
      examples: [['turn:turn.example.com:3478']]
    }),
    username: Type.Optional(
      Type.String({ description: 'TURN: the instant of expiry in seconds, a colon, and the user' })
    ),
    credential: Type.Optional(Type.String({ description: 'TURN: HMAC-SHA1 of the username, base64' }))
  },
  { $id: 'IceServer', description: 'An RTCIceServer (W3C WebRTC, section 4.2.4)', ...Strict }
)
export type IceServer = Static<typeof IceServer>

export const IceServersReply = Type.Object(
  {
    iceServers: Type.Array(IceServer, { description: 'For `new RTCPeerConnection({ iceServers })`' }),
    expiresInMs: Nullable(DurationMs('Ask again before this time has passed'), 'Null when nothing in it expires')
  },
  { $id: 'IceServersReply', description: 'STUN and TURN servers, with credentials made for this user', ...Strict }
)
export type IceServersReply = Static<typeof IceServersReply>
