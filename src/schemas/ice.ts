// The `iceServers` for RTCPeerConnection.
import { type Static, Type } from 'typebox'
import { DurationMs, Nullable, Strict } from './common.js'

export const IceServer = Type.Object(
  {
    urls: Type.Array(Type.String(), {
      minItems: 1,
      description: 'STUN or TURN URLs.',
      examples: [['turn:turn.example.com:3478']]
    }),
    username: Type.Optional(Type.String({ description: 'For TURN: expiry in Unix seconds, a colon, and the user.' })),
    credential: Type.Optional(Type.String({ description: 'For TURN: HMAC-SHA1 of the username, in base64.' }))
  },
  { $id: 'IceServer', description: 'An `RTCIceServer` (W3C WebRTC, section 4.2.4).', ...Strict }
)
export type IceServer = Static<typeof IceServer>

export const IceServersReply = Type.Object(
  {
    iceServers: Type.Array(IceServer, { description: 'Pass it to `new RTCPeerConnection({ iceServers })`.' }),
    expiresInMs: Nullable(DurationMs('Fetch new credentials within this time. Null if there are none that expire.'))
  },
  { $id: 'IceServersReply', ...Strict }
)
export type IceServersReply = Static<typeof IceServersReply>
