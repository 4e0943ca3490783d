// What an operator learns of a call that has ended, and what clients report about its connection.
import { type Static, Type } from 'typebox'
import { Call, EndReason, Media } from './call.js'
import { CalleeStatus, CallParty } from './callee.js'
import { CallId, DeviceId, DurationMs, Endpoint, Metadata, Nullable, Strict, Timestamp, UserId } from './common.js'

const CandidateType = Type.Enum(['host', 'srflx', 'prflx', 'relay'], {
  $id: 'CandidateType',
  description:
    'Of an ICE candidate (RFC 8445, section 4): `host` is an address of the device, `srflx` one that a STUN server saw, `prflx` one that the ' +
    'other peer saw, `relay` one of a TURN server.'
})
export type CandidateType = Static<typeof CandidateType>

export const ConnectionStats = Type.Object(
  {
    candidatePair: Type.Optional(
      Type.Object(
        {
          local: Type.Enum(CandidateType.enum, {
            ...CandidateType,
            description: '`candidateType` of your candidate of the selected pair.'
          }),
          remote: Type.Enum(CandidateType.enum, {
            ...CandidateType,
            description: '`candidateType` of the candidate of the other side.'
          })
        },
        { $id: 'SelectedCandidatePair', description: 'The pair of ICE candidates that is used.', ...Strict }
      )
    ),
    protocol: Type.Optional(
      Type.Enum(['udp', 'tcp'], { $id: 'CandidateProtocol', description: '`protocol` of your candidate.' })
    ),
    relayProtocol: Type.Optional(
      Type.Enum(['udp', 'tcp', 'tls'], {
        $id: 'RelayProtocol',
        description: '`relayProtocol` of your candidate: how your device reaches the TURN server.'
      })
    ),
    relay: Type.Optional(
      Type.Boolean({ description: 'Whether media goes through a TURN server. Left out: as `candidatePair` says.' })
    ),
    rttMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 600_000,
        description: 'Round-trip time of the pair: `currentRoundTripTime` in milliseconds.'
      })
    )
  },
  {
    $id: 'ConnectionStats',
    description:
      'How a side is connected, as `RTCPeerConnection.getStats()` says. Kept for the call record; the other side does not see it.',
    minProperties: 1,
    ...Strict
  }
)
export type ConnectionStats = Static<typeof ConnectionStats>

export const ConnectedRequest = Type.Object(
  { stats: Type.Optional(ConnectionStats) },
  { $id: 'ConnectedRequest', description: 'May be left out.', ...Strict }
)
export type ConnectedRequest = Static<typeof ConnectedRequest>

const RecordedSide = Type.Object(
  {
    user: UserId(),
    device: Nullable(DeviceId(), 'The device in the call. Null for a callee that has not answered.'),
    candidateTypes: Type.Array(CandidateType, {
      maxItems: 4,
      uniqueItems: true,
      description:
        'The types of the ICE candidates that this side has sent, as far as the server saw them in descriptions and candidates. ' +
        'It does not see the candidate pair that is used: that is in `stats`.'
    }),
    stats: Nullable(ConnectionStats, 'The last report of this side. Null: it has reported nothing.'),
    resumes: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: 'How often its device in the call opened an event stream again and resumed. 100: that often or more.'
    }),
    nodeChanges: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: 'How often its stream or poll came to another node of the server. 100: that often or more.'
    })
  },
  { $id: 'RecordedSide', description: 'One side of a call that has ended.', ...Strict }
)

export const CallRecord = Type.Object(
  {
    callId: CallId(),
    caller: RecordedSide,
    callee: Nullable(RecordedSide, 'Null if the caller called several users and none has answered.'),
    callees: Type.Optional(Type.Array(CalleeStatus, { description: 'Whom the caller called, if they were several.' })),
    media: Nullable(Media),
    metadata: Metadata,
    offerer: Call.properties.offerer,
    reason: EndReason,
    endedBy: Nullable(CallParty, 'Who ended it; with `lost` who was lost. Null if a timer or the server did.'),
    createdAt: Timestamp('When the call was created.'),
    answeredAt: Nullable(Timestamp('When it was accepted. Null: it was not.')),
    connectedAt: Nullable(Timestamp('When a side first reported media. Null: none did.')),
    endedAt: Timestamp('When it ended.'),
    setupMs: Nullable(DurationMs('Time from creation to the first report of media.')),
    durationMs: Nullable(DurationMs('Time from the first report of media to the end.')),
    offers: Type.Integer({ minimum: 0, description: 'How many offers were accepted, the first one included.' }),
    iceRestarts: Type.Integer({ minimum: 0, description: 'How many of these restarted ICE.' }),
    missing: Nullable(
      Type.Enum(['no_offer', 'no_answer_sdp', 'no_connected'], {
        $id: 'MissingStep',
        description:
          'What a call lacked that was accepted and ended before any side reported media: `no_offer`: no offer was sent. `no_answer_sdp`: the offer ' +
          'has no answer. `no_connected`: both were exchanged, and no side reported media.'
      }),
      'Null: nothing, the call was not accepted, or it is `unconfirmed` and was hung up.'
    ),
    unconfirmed: Type.Boolean({
      description:
        'Whether the call went on after the connect time without a report of media: its clients may not report it.'
    }),
    relay: Nullable(
      Type.Boolean(),
      'Whether media went through a TURN server, as a side reported. Null: none has reported it.'
    ),
    transfers: Type.Array(
      Type.Object(
        {
          by: Endpoint,
          to: Endpoint,
          toCall: Type.Optional(CallId('Of an attended transfer: the call that it has replaced.')),
          at: Timestamp('When the target accepted.')
        },
        { $id: 'RecordedTransfer', description: 'A transfer that succeeded.', ...Strict }
      ),
      { maxItems: 8, description: 'Oldest first. `caller` and `callee` of the record are those of the end.' }
    ),
    blocked: Type.Boolean({
      description: 'Whether the callee blocks the caller: no device rang, and the call has no `call.incoming`.'
    })
  },
  { $id: 'CallRecord', description: 'A call that has ended.', ...Strict }
)
export type CallRecord = Static<typeof CallRecord>
