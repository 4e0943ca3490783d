// Session descriptions and ICE candidates as they go over the wire (RFC 8829, RFC 8839, RFC 8840).
import { type Static, Type } from 'typebox'
import { Delivery, Strict } from './common.js'

/** 64 KiB: several times the largest description browsers make for a call. */
export const DEFAULT_MAX_SDP_BYTES = 65536
/** Below 1 MiB, so that an event with one fits into the reply to a poll. */
export const SDP_MAX_BYTES = 1_048_575
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
  $id: 'Sdp',
  description:
    'A session description (RFC 8866) with ICE credentials, as `RTCPeerConnection` creates it. At most `MAX_SDP_BYTES`, 64 KiB by default.',
  examples: [SDP_EXAMPLE]
})

const OfferType = Type.Enum(['offer'], { $id: 'OfferType', description: 'The `type` of the session description.' })
const AnswerType = Type.Enum(['answer'], { $id: 'AnswerType', description: 'The `type` of the session description.' })

/** Other members are ignored, because it may be an `RTCSessionDescription`. */
export const OfferDescription = Type.Object(
  { type: Type.Optional(OfferType), sdp: Sdp },
  { $id: 'OfferDescription', description: 'An offer, such as an `RTCSessionDescription`.' }
)

export const AnswerDescription = Type.Object(
  { type: Type.Optional(AnswerType), sdp: Sdp },
  { $id: 'AnswerDescription', description: 'An answer, such as an `RTCSessionDescription`.' }
)

/** RFC 8839 section 5.4 allows ice-chars only, but several stacks send others, such as `=` and `-`. */
const UFRAG_PATTERN = '^[!-~]*$'
export const UFRAG_MAX_LENGTH = 256

export const MID_MAX_LENGTH = 128
export const M_LINE_INDEX_MAX = 65535
const MID = { maxLength: MID_MAX_LENGTH, pattern: '^[^\\u0000\\r\\n]*$' }
const SDP_MID = 'Identification tag of the media section.'
const SDP_M_LINE_INDEX = 'Index of the media section.'
const USERNAME_FRAGMENT = 'The ICE ufrag. It tells which ICE generation the candidate belongs to.'

export const Candidate = Type.Object(
  {
    candidate: Type.String({
      maxLength: CANDIDATE_MAX_BYTES,
      description: 'The candidate attribute (RFC 8839, section 5.1). Empty: no more candidates for this media section.',
      examples: [CANDIDATE_EXAMPLE.candidate]
    }),
    sdpMid: Type.Optional(Type.String({ ...MID, description: SDP_MID })),
    sdpMLineIndex: Type.Optional(
      Type.Integer({ minimum: 0, maximum: M_LINE_INDEX_MAX, description: SDP_M_LINE_INDEX })
    ),
    usernameFragment: Type.Optional(
      Type.String({ maxLength: UFRAG_MAX_LENGTH, pattern: UFRAG_PATTERN, description: USERNAME_FRAGMENT })
    )
  },
  {
    $id: 'Candidate',
    description: 'An `RTCIceCandidateInit` in canonical form: pass it to `addIceCandidate`. No member is null.',
    ...Strict
  }
)
export type Candidate = Static<typeof Candidate>

export interface CandidateObject {
  readonly candidate: string | null
  readonly sdpMid?: string | null
  readonly sdpMLineIndex?: number | null
  readonly usernameFragment?: string | null
}

/**
 * One schema for all forms and not a union, so that a mistake is reported with the path of its member. It has no bounds: a schema refuses the
 * whole request, but each candidate is judged by itself (domain/negotiation/candidate.ts).
 */
export const CandidateInput = Type.Unsafe<CandidateObject | string | null>({
  $id: 'CandidateInput',
  description:
    'A candidate as the platform makes it: an `RTCIceCandidate`, what its `toJSON()` returns, or the bare line as a string, which belongs to ' +
    'the first media section. One of `sdpMid` and `sdpMLineIndex` is required; members that are not listed are ignored. A line may begin with ' +
    '`a=` and end with spaces or CRLF; it has at most 1 KiB. `null`, an empty string, and an empty or null `candidate` of no media section ' +
    'mean the end of candidates.',
  type: ['object', 'string', 'null'],
  required: ['candidate'],
  properties: {
    candidate: { type: ['string', 'null'], description: 'The candidate attribute (RFC 8839, section 5.1).' },
    sdpMid: { type: ['string', 'null'], description: `${SDP_MID} At most ${MID_MAX_LENGTH} characters.` },
    sdpMLineIndex: {
      type: ['integer', 'null'],
      // So that code generators choose a 32-bit integer.
      maximum: 2 ** 31 - 1,
      description: `${SDP_M_LINE_INDEX} At most ${M_LINE_INDEX_MAX}.`
    },
    usernameFragment: {
      type: ['string', 'null'],
      description: `${USERNAME_FRAGMENT} At most ${UFRAG_MAX_LENGTH} visible ASCII characters.`
    }
  },
  examples: [CANDIDATE_EXAMPLE]
})
export type CandidateInput = Static<typeof CandidateInput>

export const REVISION_MAX = 1_000_000

const Revision = (description: string) => Type.Integer({ minimum: 1, maximum: REVISION_MAX, description })

const Candidates = (description: string) =>
  Type.Optional(Type.Array(CandidateInput, { maxItems: CANDIDATES_MAX_ITEMS, description }))

const End = Type.Optional(
  Type.Boolean({
    description:
      'These are the last candidates of this ICE generation (RFC 8838, section 13). The same as `null` at the end of `candidates`.'
  })
)

/** Members of a request with a description. */
export const WITH_CANDIDATES = {
  candidates: Candidates('Candidates that were gathered already, in that order. They arrive after the description.'),
  end: End
}

export const CandidatesRequest = Type.Object(
  { candidates: Candidates('In the order they were gathered. May be left out with `end`.'), end: End },
  { $id: 'CandidatesRequest', ...Strict }
)
export type CandidatesRequest = Static<typeof CandidatesRequest>

export const OfferRequest = Type.Object(
  {
    type: Type.Optional(OfferType),
    sdp: Sdp,
    revision: Type.Optional(
      Revision('The negotiation that this offer starts: the current revision plus one. By default the server counts.')
    ),
    ...WITH_CANDIDATES
  },
  { $id: 'OfferRequest', ...Strict }
)
export type OfferRequest = Static<typeof OfferRequest>

export const AnswerRequest = Type.Object(
  {
    type: Type.Optional(AnswerType),
    sdp: Sdp,
    revision: Type.Optional(
      Revision(
        'The revision of the offer that it answers. By default the pending one; required if that offer has superseded another one.'
      )
    ),
    ...WITH_CANDIDATES
  },
  { $id: 'AnswerRequest', ...Strict }
)
export type AnswerRequest = Static<typeof AnswerRequest>

/** What a body that is only SDP leaves to the query. */
export const DescriptionQuery = Type.Object({
  revision: Type.Optional(Revision('The same as `revision` of the body, for a body that is `application/sdp`.'))
})

const CandidateIndex = Type.Integer({ minimum: 0, description: 'Its place in `candidates` of the request.' })

export const HELD_REASONS = ['no_description', 'unknown_ufrag', 'call_ringing'] as const

export const HeldCandidate = Type.Object(
  {
    index: CandidateIndex,
    reason: Type.Enum([...HELD_REASONS], {
      $id: 'HeldReason',
      description:
        '`no_description`: you have not sent an offer or answer yet; in a room, not to every participant it is for. `unknown_ufrag`: none of ' +
        'your descriptions has its ufrag yet. `call_ringing`: no device has answered the call yet.'
    })
  },
  { $id: 'HeldCandidate', description: 'A candidate that waits, and what for.', ...Strict }
)
export type HeldCandidate = Static<typeof HeldCandidate>

export const CANDIDATE_REFUSALS = [
  'invalid_candidate',
  'too_large',
  'stale_candidate',
  'too_many_waiting_candidates'
] as const

export const RejectedCandidate = Type.Object(
  {
    index: CandidateIndex,
    code: Type.Enum([...CANDIDATE_REFUSALS], {
      $id: 'CandidateRefusal',
      description: 'A problem code: `GET /problems/{code}` explains it.'
    }),
    detail: Type.String({ description: 'What is wrong with it, for the developer.' })
  },
  { $id: 'RejectedCandidate', description: 'A candidate that was refused, and why.', ...Strict }
)
export type RejectedCandidate = Static<typeof RejectedCandidate>

const Outcomes = {
  accepted: Type.Integer({ minimum: 0, description: 'Number of candidates that were sent or are held.' }),
  held: Type.Array(HeldCandidate, {
    description: 'Those of the accepted that wait. Each is delivered after the description it waits for.'
  }),
  rejected: Type.Array(RejectedCandidate, { description: 'Those that were refused. The others were accepted.' })
}

export const CandidatesReply = Type.Object({ ...Outcomes, delivery: Delivery }, { $id: 'CandidatesReply', ...Strict })
export type CandidatesReply = Static<typeof CandidatesReply>

export const CandidateOutcomes = Type.Object(Outcomes, {
  $id: 'CandidateOutcomes',
  description: 'The outcome for each candidate of the request. Given if it had `candidates` or `end`.',
  ...Strict
})
export type CandidateOutcomes = Static<typeof CandidateOutcomes>

export const DescriptionReply = Type.Object(
  {
    revision: Revision('The negotiation that this description belongs to.'),
    delivery: Delivery,
    outcomes: Type.Optional(CandidateOutcomes)
  },
  { $id: 'DescriptionReply', ...Strict }
)
export type DescriptionReply = Static<typeof DescriptionReply>

const EventRevision = Type.Integer({ minimum: 0, description: 'The negotiation it belongs to.' })

/** As part of an event or a reply. */
export const FirstOffer = (description: string) =>
  Type.Object({ revision: EventRevision, sdp: Sdp }, { $id: 'FirstOffer', description, ...Strict })
export const FirstAnswer = (description: string) =>
  Type.Object({ revision: EventRevision, sdp: Sdp }, { $id: 'FirstAnswer', description, ...Strict })
