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

export const IceServersQuery = Type.Object({
  region: Type.Optional(
    Type.String({
      maxLength: 32,
      description:
        'Near which you are, by a name that the operator has given. Its servers come first, then those of every region. Without it, or with one ' +
        'that the operator does not have: those of every region, or all if each server belongs to a region.'
    })
  )
})

const IceTransportPolicy = Type.Enum(['all', 'relay'], {
  $id: 'IceTransportPolicy',
  description:
    'An `RTCIceTransportPolicy` (W3C WebRTC, section 4.2.5). `relay`: the operator wants media to go through TURN servers only.'
})

export const IceServersReply = Type.Object(
  {
    iceServers: Type.Array(IceServer, { description: 'Pass it to `new RTCPeerConnection({ iceServers })`.' }),
    iceTransportPolicy: IceTransportPolicy,
    expiresInMs: Nullable(DurationMs('Fetch new credentials within this time. Null if there are none that expire.'))
  },
  { $id: 'IceServersReply', ...Strict }
)
export type IceServersReply = Static<typeof IceServersReply>
