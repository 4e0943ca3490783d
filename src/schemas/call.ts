// Calls as clients see them, and the bodies of call actions.
import { type Static, Type } from 'typebox'
import { Callee, CalleeStatus, CallParty, CallTo, RingStrategy, RingTimeoutMs } from './callee.js'
import { CallId, Delivery, DurationMs, Endpoint, Metadata, Nullable, Strict, Timestamp } from './common.js'
import { WhenOffline } from './push.js'
import {
  AnswerDescription,
  Candidate,
  CandidateOutcomes,
  FirstOffer,
  OfferDescription,
  WITH_CANDIDATES
} from './signal.js'
import { ConsultationOf, PendingTransfer, Side } from './transfer.js'

export const CALL_STATES = ['ringing', 'connecting', 'connected', 'ended'] as const
export const END_REASONS = [
  'hangup',
  'cancelled',
  'declined',
  'declined_elsewhere',
  'answered_elsewhere',
  'busy',
  'no_answer',
  'expired',
  'transferred',
  'media_failed',
  'lost',
  'server'
] as const

export const CallState = Type.Enum([...CALL_STATES], {
  $id: 'CallState',
  description:
    '`ringing` until the callee accepts, `connecting` until a side reports media or, if offer and answer were exchanged, the connect time is over, `connected` until a side hangs up, then `ended`. ' +
    'A call may end from every state.'
})
export const EndReason = Type.Enum([...END_REASONS], {
  $id: 'EndReason',
  description:
    'Why the call ended, as seen by the user who reads it. `hangup`: a side hung up. `cancelled`: the caller withdrew it. `declined`: the ' +
    'callee declined. `declined_elsewhere`, `answered_elsewhere`: another device of this user declined or answered. `busy`: the callee is in ' +
    'another call. `no_answer`: the ring time ran out, or no device rings any more. `expired`: it was accepted, and no offer and answer were exchanged in time; or it reached the maximum duration. `transferred`: you have transferred it, or an attended transfer has joined the two of you in another call. ' +
    '`media_failed`: a client reported that ICE or DTLS failed. `lost`: a device disconnected and did not come back. `server`: the server ended it.'
})
const Offerer = Type.Enum(['caller', 'callee'], {
  $id: 'Offerer',
  description: 'Who makes the first offer. Later ones may come from either side.'
})
export const Media = Type.Enum(['audio', 'video', 'data'], {
  $id: 'Media',
  description: 'What a call or room is for. Shown to the callee; the server does not enforce it.'
})

export const SendsAudio = Type.Boolean({ description: 'Whether this side sends audio. False: it is muted.' })
export const SendsVideo = Type.Boolean({ description: 'Whether this side sends video. False: it is muted.' })

const Held = Type.Object(
  {
    caller: Type.Boolean({ description: 'Whether the caller has put the call on hold.' }),
    callee: Type.Boolean({ description: 'Whether the callee has put the call on hold.' })
  },
  { $id: 'CallHolds', description: 'Which sides have put the call on hold.', ...Strict }
)

const Negotiation = Type.Object(
  {
    revision: Type.Integer({
      minimum: 0,
      description: 'Number of the last offer, 0 before the first. A transfer that succeeds counts as one.'
    }),
    pendingFrom: Nullable(Side, 'The side whose offer has no answer yet.')
  },
  { $id: 'Negotiation', description: 'The offer/answer state of the call.', ...Strict }
)

export const Call = Type.Object(
  {
    callId: CallId(),
    version: Type.Integer({ minimum: 1, description: 'Increases with every change. A higher version is newer.' }),
    state: CallState,
    caller: Endpoint,
    callee: Nullable(
      Callee,
      'Null for the caller of several users until one has answered, and for a call that was cancelled before it was created.'
    ),
    callees: Type.Optional(
      Type.Array(CalleeStatus, {
        description: 'Only for the caller of several users: who they are, in the order of the request.'
      })
    ),
    media: Nullable(Media),
    metadata: Metadata,
    offerer: Offerer,
    createdAt: Timestamp('When the call was created.'),
    answeredAt: Nullable(Timestamp('When it was accepted.')),
    connectedAt: Nullable(Timestamp('When a side first reported media. Null in a connected call: no side has.')),
    endedAt: Nullable(Timestamp('When it ended.')),
    reason: Nullable(EndReason),
    endedBy: Nullable(CallParty, 'Who ended it; with `lost` who was lost. Null if a timer or the server did.'),
    expiresInMs: Nullable(
      DurationMs('Time left to answer or to connect, or until the maximum duration. Null without a limit.')
    ),
    setupMs: Nullable(DurationMs('Time from creation to `connected`.')),
    durationMs: Nullable(DurationMs('Time from `connected` to the end.')),
    transfer: Type.Optional(PendingTransfer),
    held: Held,
    negotiation: Negotiation
  },
  { $id: 'Call', description: 'A call, as its parties see it. What does not apply yet is null.', ...Strict }
)
export type Call = Static<typeof Call>

export const CreateCallRequest = Type.Object(
  {
    to: CallTo,
    ringStrategy: Type.Optional(RingStrategy),
    consultationOf: Type.Optional(ConsultationOf),
    media: Type.Optional(Media),
    offer: Type.Optional(
      Type.Unsafe<Static<typeof OfferDescription>>({
        ...OfferDescription,
        description: 'The first offer. It reaches the callee with `call.incoming` and saves a request.'
      })
    ),
    ...WITH_CANDIDATES,
    offerer: Type.Optional(
      Type.Unsafe<Static<typeof Offerer>>({
        ...Offerer,
        description:
          'Who makes the first offer: `caller` (default), or `callee` for a device that can only offer, such as a camera. With `callee` there ' +
          'is no `offer` here; the callee accepts with one.'
      })
    ),
    whenOffline: Type.Optional(WhenOffline),
    metadata: Type.Optional(Metadata),
    callId: Type.Optional(CallId('A random id, such as a UUID. A retry with the same id returns the same call.')),
    ringTimeoutMs: Type.Optional(RingTimeoutMs('How long to ring each user. `RING_TIMEOUT_MS` by default.'))
  },
  { $id: 'CreateCallRequest', ...Strict }
)
export type CreateCallRequest = Static<typeof CreateCallRequest>

export const CallCursor = Type.String({
  $id: 'MailboxCursor',
  description: 'Where your mailbox was. A stream or poll that starts here misses nothing that follows.',
  examples: ['41.k3f9p']
})

const Resolution = Type.Enum(['created', 'existing', 'merged'], {
  $id: 'CallResolution',
  description:
    '`created`: a new call. `existing`: a retry, the call was there already; or you cancelled the call before this create arrived, and it ' +
    'has ended. `merged`: the callee was calling you at the same time; `call` is their call, which you have accepted.'
})

export const CreateCallReply = Type.Object(
  {
    call: Call,
    resolution: Resolution,
    delivery: Delivery,
    cursor: CallCursor,
    outcomes: Type.Optional(CandidateOutcomes),
    offer: Type.Optional(
      FirstOffer('The offer of the call that yours was merged into. Answer it; your own offer was discarded.')
    ),
    candidates: Type.Optional(Type.Array(Candidate, { description: 'The candidates that came with that offer.' })),
    end: Type.Optional(Type.Boolean({ description: 'Whether these are the last ones.' }))
  },
  { $id: 'CreateCallReply', ...Strict }
)
export type CreateCallReply = Static<typeof CreateCallReply>

export const CallReply = Type.Object({ call: Call }, { $id: 'CallReply', ...Strict })
export const AcceptCallReply = Type.Object(
  { call: Call, cursor: CallCursor, outcomes: Type.Optional(CandidateOutcomes) },
  { $id: 'AcceptCallReply', ...Strict }
)
export type AcceptCallReply = Static<typeof AcceptCallReply>
export const CallsReply = Type.Object({ calls: Type.Array(Call) }, { $id: 'CallsReply', ...Strict })

export const AcceptCallRequest = Type.Object(
  {
    offer: Type.Optional(
      Type.Unsafe<Static<typeof OfferDescription>>({
        ...OfferDescription,
        description:
          'The first offer, if `offerer` of the call is `callee`. It reaches the caller with `call.accepted`.'
      })
    ),
    answer: Type.Optional(
      Type.Unsafe<Static<typeof AnswerDescription>>({
        ...AnswerDescription,
        description:
          'The answer to the offer of `call.incoming`. It reaches the caller with `call.accepted` and saves a request.'
      })
    ),
    ...WITH_CANDIDATES
  },
  { $id: 'AcceptCallRequest', ...Strict }
)
export type AcceptCallRequest = Static<typeof AcceptCallRequest>

export const RejectCallRequest = Type.Object(
  {
    scope: Type.Optional(
      Type.Enum(['device', 'user'], {
        $id: 'RejectScope',
        description:
          '`user` (default) declines the call on all your devices. `device` stops the ringing on this one only; the call is declined when no ' +
          'other device is ringing.'
      })
    )
  },
  { $id: 'RejectCallRequest', ...Strict }
)
export type RejectCallRequest = Static<typeof RejectCallRequest>

export const HangUpCallRequest = Type.Object(
  {
    reason: Type.Optional(
      Type.Enum(['hangup', 'media_failed'], {
        $id: 'HangupReason',
        description: '`hangup` (default), or `media_failed` if ICE or DTLS failed.'
      })
    )
  },
  { $id: 'HangUpCallRequest', ...Strict }
)
export type HangUpCallRequest = Static<typeof HangUpCallRequest>

export const UpdateCallMediaRequest = Type.Object(
  { audio: Type.Optional(SendsAudio), video: Type.Optional(SendsVideo) },
  { $id: 'UpdateCallMediaRequest', description: 'What is left out does not change.', minProperties: 1, ...Strict }
)
export type UpdateCallMediaRequest = Static<typeof UpdateCallMediaRequest>

export const EmptyRequest = Type.Object(
  {},
  { $id: 'EmptyRequest', description: 'No members. May be left out.', ...Strict }
)
