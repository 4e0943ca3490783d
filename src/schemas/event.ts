// Every event about a call, and every signal. Streams and long-polls send the same envelope.
import { type Static, type TProperties, Type } from 'typebox'
import { Call, EndReason, Media, SendsAudio, SendsVideo } from './call.js'
import { MessageContent } from './call-message.js'
import { CalleeStatus, CallParty } from './callee.js'
import { CallId, DurationMs, Endpoint, MessageId, Metadata, Nullable, ParticipantId, RoomId, Strict } from './common.js'
import { ParticipantRef } from './room.js'
import { Candidate, FirstAnswer, FirstOffer, Sdp } from './signal.js'
import { dataNameOf, Event, schemaNameOf } from './stream.js'
import { ToCall, TransferFailure, TransferTarget } from './transfer.js'

const Version = Type.Integer({ minimum: 1, description: 'The version of the call after this event.' })

/** An event of a call. */
function event<const T extends string, P extends TProperties>(type: T, description: string, data: P) {
  const inCall = Type.Object({ callId: CallId(), version: Version, ...data }, { $id: dataNameOf(type), ...Strict })
  return Event(type, description, inCall)
}

const Revision = Type.Integer({ minimum: 0, description: 'The negotiation it belongs to.' })

const EarlyCandidates = {
  candidates: Type.Optional(
    Type.Array(Candidate, { description: 'The candidates that were sent with it. More may follow.' })
  ),
  end: Type.Optional(Type.Boolean({ description: 'Whether these are the last candidates of this ICE generation.' }))
}

export const CallIncoming = event('call.incoming', 'A user is calling you. Ring.', {
  from: Endpoint,
  startedBy: Type.Optional(
    Type.Literal('operator', {
      description:
        'The operator of the service started the call: you are the first to ring. If you accept, you are the caller, and `from` is called.'
    })
  ),
  transferredBy: Type.Optional(
    Type.Unsafe<Static<typeof Endpoint>>({
      ...Endpoint,
      description: 'Who transfers the call of `from` to you. Missing: the call is not transferred.'
    })
  ),
  replaces: Type.Optional(
    CallId('Your call with the transferor, which ends when you accept this one. Missing: the transfer is not attended.')
  ),
  media: Nullable(Media),
  metadata: Metadata,
  expiresInMs: Nullable(DurationMs('Ring time left.')),
  offer: Type.Optional(FirstOffer('The offer of the create. Answer it with the accept, or after it.')),
  ...EarlyCandidates,
  call: Call
})

export const CallRinging = event('call.ringing', 'A device of the callee is ringing.', {
  by: Nullable(CallParty, 'The callee. The device is null until one answers.')
})

export const CallCalleeChanged = event(
  'call.callee_changed',
  'One of several users whom you call begins to ring, declines, is busy or does not answer, while the call goes on.',
  { callee: CalleeStatus }
)

export const CallAccepted = event('call.accepted', 'The callee accepted the call.', {
  by: Nullable(CallParty),
  offer: Type.Optional(FirstOffer('The offer of the accept, for the device in the call. Answer it.')),
  answer: Type.Optional(FirstAnswer('The answer of the accept, for the device in the call.')),
  ...EarlyCandidates,
  call: Call
})

export const CallConnected = event(
  'call.connected',
  'The other side reports that media flows, or the connect time is over.',
  {
    by: Nullable(
      Endpoint,
      'Null: no side has reported it, but offer and answer were exchanged within the connect time.'
    ),
    setupMs: Nullable(DurationMs('Time from creation to the report.'))
  }
)

export const CallTransferring = event(
  'call.transferring',
  'The other side transfers the call: a user is rung who may take its place.',
  {
    by: Endpoint,
    to: TransferTarget,
    toCall: Type.Optional(ToCall),
    expiresInMs: DurationMs('Ring time left.'),
    left: Type.Boolean({
      description:
        'Whether the other side has left already. Then the call waits for the target, and ends if that does not accept.'
    })
  }
)

export const CallTransferFailed = event(
  'call.transfer_failed',
  'The target did not take the call, which goes on between the two of you.',
  { to: TransferTarget, reason: TransferFailure }
)

export const CallTransferred = event(
  'call.transferred',
  'The target has accepted: you are the caller now, and the target is the callee. Close the connection of before and negotiate anew.',
  {
    by: Nullable(Endpoint, 'Who has transferred the call.'),
    offer: Type.Optional(FirstOffer('The offer of the accept, for the device in the call. Answer it.')),
    ...EarlyCandidates,
    call: Call
  }
)

const Holds = { by: Endpoint, held: Call.properties.held }
export const CallHeld = event('call.held', 'The other side put the call on hold.', Holds)
export const CallResumed = event('call.resumed', 'The other side took the call off hold.', Holds)

export const CallMediaChanged = event('call.media_changed', 'The other side muted its audio or video, or unmuted it.', {
  by: Endpoint,
  audio: Nullable(SendsAudio, 'Whether that side sends audio. False: it is muted. Null: it has not reported that.'),
  video: Nullable(SendsVideo, 'Whether that side sends video. False: it is muted. Null: it has not reported that.')
})

export const CallMessage = event('call.message', 'An application message of the other side.', {
  from: CallParty,
  messageId: MessageId('The id that the sender chose, or the server.'),
  content: MessageContent
})

export const CallPeerAway = event(
  'call.peer_away',
  'The device of the other side is disconnected. The call goes on for now.',
  {
    device: Nullable(Endpoint),
    expiresInMs: DurationMs('The call ends as `lost` if the device does not come back within this time.')
  }
)

export const CallPeerBack = event('call.peer_back', 'The device of the other side is connected again.', {
  device: Nullable(Endpoint)
})

export const CallEnded = event('call.ended', 'The call has ended for this device. Stop ringing.', {
  reason: EndReason,
  endedBy: Nullable(
    CallParty,
    'Who ended or answered it; with `lost` who was lost. Null if a timer or the server did.'
  ),
  call: Call
})

/** A signal belongs to a call, or to two participants of a room. `data` is named after both: `CallSignalOffer`, `RoomSignalOffer`. */
function signal<const T extends string, P extends TProperties>(type: T, description: string, data: P) {
  const pair = Type.Integer({ minimum: 1, description: 'Counts the signals between these two participants.' })
  const to = ParticipantId('Your participation it is for. Ignore it if that is an earlier one than your current one.')
  const name = schemaNameOf(type)
  const inCall = Type.Object(
    { callId: CallId(), version: Version, from: Nullable(Endpoint), ...data },
    { $id: `Call${name}`, description: 'In a call.', ...Strict }
  )
  const inRoom = Type.Object(
    { roomId: RoomId(), version: pair, from: ParticipantRef, to, ...data },
    { $id: `Room${name}`, description: 'In a room.', ...Strict }
  )
  return Event(type, description, Type.Union([inCall, inRoom]))
}

const Description = { revision: Revision, sdp: Sdp }
export const SignalOffer = signal('signal.offer', 'An offer of the other side.', Description)
export const SignalAnswer = signal('signal.answer', 'The answer to your offer.', Description)

export const SignalCandidates = signal('signal.candidates', 'ICE candidates of the other side.', {
  revision: Revision,
  candidates: Type.Array(Candidate),
  end: Type.Boolean({ description: 'Whether these are the last candidates of this ICE generation.' })
})

export const CALL_EVENTS = [
  CallIncoming,
  CallRinging,
  CallCalleeChanged,
  CallAccepted,
  CallConnected,
  CallTransferring,
  CallTransferFailed,
  CallTransferred,
  CallHeld,
  CallResumed,
  CallMediaChanged,
  CallMessage,
  CallPeerAway,
  CallPeerBack,
  CallEnded,
  SignalOffer,
  SignalAnswer,
  SignalCandidates
] as const
