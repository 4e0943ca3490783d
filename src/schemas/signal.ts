// Session descriptions and ICE candidates as they go over the wire (RFC 8829, RFC 8839, RFC 8840).
import { type Static, Type } from 'typebox'
import { Delivery, Nullable, Strict } from './common.js'

/** 64 KiB: several times the largest description browsers make for a call. */
export const SDP_MAX_BYTES = 65536
export const CANDIDATE_MAX_BYTES = 1024
export const CANDIDATES_MAX_ITEMS = 64

export const SDP_EXAMPLE =
  'v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=fingerprint:sha-256 D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n'

export const CANDIDATE_EXAMPLE = {
  candidate: 'candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport 46154 ufrag F7gI',
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: 'F7gI'
}

export const Sdp = Type.String({
  minLength: 1,
  maxLength: SDP_MAX_BYTES,
  pattern: '^[^\\u0000]*$',
  $id: 'Sdp',
  description:
    'A session description (RFC 8866) with ICE credentials, as `RTCPeerConnection` creates it. At most 64 KiB.',
  examples: [SDP_EXAMPLE]
})

export const Candidate = Type.Object(
  {
    candidate: Type.String({
      maxLength: CANDIDATE_MAX_BYTES,
      pattern: '^[^\\u0000\\r\\n]*$',
      description: 'The candidate attribute (RFC 8839, section 5.1). Empty: no more candidates for this media line.',
      examples: [CANDIDATE_EXAMPLE.candidate]
    }),
    sdpMid: Type.Optional(
      Nullable(Type.String({ maxLength: 128, pattern: '^[^\\u0000\\r\\n]*$' }), 'Identification tag of the media line.')
    ),
    sdpMLineIndex: Type.Optional(Nullable(Type.Integer({ minimum: 0, maximum: 65535 }), 'Index of the media line.')),
    usernameFragment: Type.Optional(
      Nullable(
        Type.String({ maxLength: 256, pattern: '^[A-Za-z0-9+/]*$' }),
        'The ICE ufrag. It tells which ICE generation the candidate belongs to.'
      )
    )
  },
  { $id: 'Candidate', description: 'An `RTCIceCandidateInit`: what `RTCIceCandidate.toJSON()` returns.', ...Strict }
)
export type Candidate = Static<typeof Candidate>

const Revision = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description })

export const OfferRequest = Type.Object(
  {
    sdp: Sdp,
    revision: Type.Optional(
      Revision('The negotiation that this offer starts: the current revision plus one. By default the server counts.')
    )
  },
  { $id: 'OfferRequest', ...Strict }
)
export type OfferRequest = Static<typeof OfferRequest>

export const AnswerRequest = Type.Object(
  {
    sdp: Sdp,
    revision: Type.Optional(Revision('The revision of the offer that it answers. By default the pending one.'))
  },
  { $id: 'AnswerRequest', ...Strict }
)
export type AnswerRequest = Static<typeof AnswerRequest>

export const CandidatesRequest = Type.Object(
  {
    candidates: Type.Array(Candidate, {
      maxItems: CANDIDATES_MAX_ITEMS,
      description: 'In the order they were gathered.'
    }),
    end: Type.Optional(
      Type.Boolean({ description: 'These are the last candidates of this ICE generation (RFC 8838, section 13).' })
    )
  },
  { $id: 'CandidatesRequest', ...Strict }
)
export type CandidatesRequest = Static<typeof CandidatesRequest>

export const DescriptionResponse = Type.Object(
  { revision: Revision('The negotiation that this description belongs to.'), delivery: Delivery },
  { $id: 'DescriptionResponse', ...Strict }
)

export const CandidatesResponse = Type.Object(
  {
    accepted: Type.Integer({ minimum: 0, description: 'Number of candidates that were accepted.' }),
    waiting: Type.Integer({
      minimum: 0,
      description: 'Of those, the number that wait until their description is sent.'
    }),
    delivery: Delivery
  },
  { $id: 'CandidatesResponse', ...Strict }
)
export type CandidatesResponse = Static<typeof CandidatesResponse>
