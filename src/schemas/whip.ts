// WHIP and WHEP: bodies that are SDP, and the headers of replies.
import { Type } from 'typebox'
import { ParticipantId, Strict } from './common.js'
import { SDP_MAX_BYTES } from './signal.js'
import { ANSWER_EXAMPLE, RESTART_EXAMPLE } from './whip-examples.js'

/** A body of SDP is read as the member `sdp`. */
export const OfferBody = Type.Object(
  { sdp: Type.String({ maxLength: SDP_MAX_BYTES, description: 'An offer.' }) },
  { ...Strict }
)

export const FragmentBody = Type.Object(
  { sdp: Type.String({ maxLength: SDP_MAX_BYTES, description: 'An SDP fragment (RFC 8840).' }) },
  { ...Strict }
)

export const ViewQuery = Type.Object({
  participantId: Type.Optional(ParticipantId('The participant whose producers are viewed.'))
})

export const WhipPatchHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      maxLength: 1024,
      description:
        'The `ETag` of the last reply, or `*` to restart ICE. Required, or the request fails with `precondition_required`.'
    })
  )
})

type SdpType = 'application/sdp' | 'application/trickle-ice-sdpfrag'

const HEADERS = {
  ETag: { type: 'string', description: 'Names the ICE session.' },
  Location: { type: 'string', description: 'The path of the session, for PATCH and DELETE.' },
  Link: { type: 'string', description: 'One for each STUN and TURN server, with `rel="ice-server"`.' }
} as const

/** A reply that is SDP. */
export const sdpReply = (description: string, type: SdpType = 'application/sdp') => ({
  description,
  headers: type === 'application/sdp' ? HEADERS : { ETag: HEADERS.ETag },
  content: {
    [type]: {
      schema: Type.String({ description }),
      example: type === 'application/sdp' ? ANSWER_EXAMPLE : RESTART_EXAMPLE
    }
  }
})
