// Every event about a call, and every signal, by its type: what stands in `data`. One envelope over SSE, long-poll and (later) webhooks.
import { type TProperties, Type } from 'typebox'
import { Call, CallId, EndReason, Media } from './call.js'
import { DurationMs, Endpoint, Metadata, Nullable, Strict, Timestamp } from './common.js'
import { ParticipantId, RoomId, RoomPeer } from './room.js'
import { Candidate, Sdp } from './signal.js'

const Version = Type.Integer({ minimum: 1, description: 'The version of the call this event belongs to' })

/** One member of the union: the envelope of one type. */
function event<const T extends string, P extends TProperties>(name: string, type: T, description: string, data: P) {
  return Type.Object(
    {
      type: Type.Literal(type),
      timestamp: Timestamp('When it was decided'),
      data: Type.Object({ callId: CallId, version: Version, ...data }, { ...Strict })
    },
    { $id: name, description, ...Strict }
  )
}

const Callee = Type.Object(
  { user: Endpoint.properties.user, device: Nullable(Endpoint.properties.device) },
  { ...Strict }
)
const Revision = Type.Integer({ minimum: 0, description: 'The negotiation it belongs to' })

export const CallIncoming = event('CallIncomingEvent', 'call.incoming', 'A user calls; your device rings', {
  from: Endpoint,
  media: Nullable(Media),
  metadata: Metadata,
  expiresInMs: Nullable(DurationMs('How long it will go on ringing')),
  offer: Type.Optional(
    Type.Object({ revision: Revision, sdp: Sdp }, { description: 'The early offer; accept, then answer it', ...Strict })
  ),
  call: Call
})

export const CallRinging = event('CallRingingEvent', 'call.ringing', 'A device of the callee rings', {
  by: Nullable(Callee, 'The callee; the device is null, because none has answered')
})

export const CallAccepted = event('CallAcceptedEvent', 'call.accepted', 'The callee answered', {
  by: Nullable(Callee),
  call: Call
})

export const CallConnected = event('CallConnectedEvent', 'call.connected', 'The other side reports media', {
  by: Endpoint,
  setupMs: DurationMs('From creation to connected')
})

const Held = { by: Endpoint, held: Call.properties.held }
export const CallHeld = event('CallHeldEvent', 'call.held', 'The other side put the call on hold', Held)
export const CallResumed = event('CallResumedEvent', 'call.resumed', 'The other side resumed', Held)

export const CallPeerAway = event(
  'CallPeerAwayEvent',
  'call.peer_away',
  'The other side’s device shows no sign of life',
  {
    device: Nullable(Endpoint),
    expiresInMs: DurationMs('Until the call ends as `lost` unless it comes back')
  }
)

export const CallPeerBack = event('CallPeerBackEvent', 'call.peer_back', 'It is back', { device: Nullable(Endpoint) })

export const CallEnded = event('CallEndedEvent', 'call.ended', 'For this device the call is over, and why', {
  reason: EndReason,
  endedBy: Nullable(Callee, 'Who ended or answered it; null when time ran out'),
  call: Call
})

/** A signal belongs to a call, or to two participants of a room. */
function signal<const T extends string, P extends TProperties>(name: string, type: T, description: string, data: P) {
  const pair = Type.Integer({ minimum: 1, description: 'Counts what these two participants have negotiated' })
  const to = Type.Unsafe<string>({
    ...ParticipantId,
    description:
      'Your participation it is for. Ignore what was for an earlier one: a device that joins anew keeps its mailbox'
  })
  return Type.Object(
    {
      type: Type.Literal(type),
      timestamp: Timestamp('When it was decided'),
      data: Type.Union([
        Type.Object({ callId: CallId, version: Version, from: Nullable(Endpoint), ...data }, { ...Strict }),
        Type.Object({ roomId: RoomId, version: pair, from: RoomPeer, to, ...data }, { ...Strict })
      ])
    },
    { $id: name, description, ...Strict }
  )
}

const Description = { revision: Revision, sdp: Sdp }
export const SignalOffer = signal('SignalOfferEvent', 'signal.offer', 'The other side offers', Description)
export const SignalAnswer = signal('SignalAnswerEvent', 'signal.answer', 'The other side answers', Description)

export const SignalCandidates = signal('SignalCandidatesEvent', 'signal.candidates', 'Candidates of the other side', {
  revision: Revision,
  candidates: Type.Array(Candidate),
  end: Type.Boolean({ description: 'No more will come in this generation' })
})

export const CALL_EVENTS = [
  CallIncoming,
  CallRinging,
  CallAccepted,
  CallConnected,
  CallHeld,
  CallResumed,
  CallPeerAway,
  CallPeerBack,
  CallEnded,
  SignalOffer,
  SignalAnswer,
  SignalCandidates
] as const
