// Calls as clients see them, and the bodies of call actions.
import { type Static, Type } from 'typebox'
import { Delivery, DurationMs, Endpoint, Id, Metadata, Nullable, Strict, Timestamp } from './common.js'
import { Sdp } from './signal.js'

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

export const CallId = Id('Call id, chosen by the caller or made by the server', '7d1f0c1e-call')
export const CallState = Type.Enum([...CALL_STATES], { description: 'ringing → connecting → connected → ended' })
export const EndReason = Type.Enum([...END_REASONS], {
  description:
    'Why the call ended, for the user who reads this: `hangup` by a side; `cancelled` by the caller; `declined` by the callee; ' +
    '`declined_elsewhere`/`answered_elsewhere` on another device; `busy`; `no_answer` in the ring time; ' +
    '`expired` before it connected; `transferred`; `media_failed` as a client reported; `lost`: a side vanished; `server`'
})
export const Side = Type.Enum(['caller', 'callee'], { description: 'A side of the call' })
export const Media = Type.Enum(['audio', 'video', 'data'], {
  description: 'What the caller has in mind; shown to the callee'
})

export const Call = Type.Object(
  {
    callId: CallId,
    version: Type.Integer({ minimum: 1, description: 'Increases with every change of the call' }),
    state: CallState,
    caller: Endpoint,
    callee: Nullable(
      Type.Object(
        {
          user: Id('User id', 'bob'),
          device: Nullable(Id('The device that answered', 'laptop'), 'Null until answered')
        },
        { ...Strict }
      ),
      'Null only for a call that was cancelled before it was created'
    ),
    media: Nullable(Media),
    metadata: Metadata,
    createdAt: Timestamp('When the call was created'),
    answeredAt: Nullable(Timestamp('When it was accepted')),
    connectedAt: Nullable(Timestamp('When a side first reported media flowing')),
    endedAt: Nullable(Timestamp('When it ended')),
    reason: Nullable(EndReason),
    endedBy: Nullable(
      Type.Object({ user: Endpoint.properties.user, device: Nullable(Endpoint.properties.device) }, { ...Strict }),
      'Who ended it; null when time or the server did. The device is null if the callee ended it without an answer'
    ),
    expiresInMs: Nullable(DurationMs('Until the ring or connect time runs out'), 'Null unless ringing or connecting'),
    setupMs: Nullable(DurationMs('From creation to connected')),
    durationMs: Nullable(DurationMs('From connected to the end')),
    held: Type.Object(
      { caller: Type.Boolean(), callee: Type.Boolean() },
      { description: 'Which side has put the call on hold', ...Strict }
    ),
    negotiation: Type.Object(
      {
        revision: Type.Integer({ minimum: 0, description: 'The last offer’s number; 0 before the first' }),
        pendingFrom: Nullable(Side, 'Whose offer waits for an answer')
      },
      { ...Strict }
    )
  },
  { $id: 'Call', description: 'A call as its participants see it; what does not apply yet is null', ...Strict }
)
export type Call = Static<typeof Call>

export const CreateCallBody = Type.Object(
  {
    to: Id('The user to call', 'bob'),
    media: Type.Optional(Media),
    offer: Type.Optional(
      Type.Object({ sdp: Sdp }, { description: 'An early offer: rings along, and saves a round trip', ...Strict })
    ),
    metadata: Type.Optional(Metadata),
    callId: Type.Optional(CallId),
    ringTimeoutMs: Type.Optional(
      Type.Integer({ minimum: 5000, maximum: 90_000, description: 'How long to ring; RING_TIMEOUT_MS by default' })
    )
  },
  { $id: 'CreateCallBody', examples: [{ to: 'bob', media: 'video', callId: '7d1f0c1e-call' }], ...Strict }
)
export type CreateCallBody = Static<typeof CreateCallBody>

export const CallCursor = Type.String({
  description: 'Open the stream here to miss nothing of this call',
  examples: ['41.k3f9p']
})

export const CreateCallReply = Type.Object(
  {
    call: Call,
    resolution: Type.Enum(['created', 'existing', 'merged'], {
      description:
        '`created` now; `existing`: a repeat of the same callId; `merged`: the callee was calling you, and you are in that call'
    }),
    delivery: Delivery,
    cursor: CallCursor
  },
  { $id: 'CreateCallReply', ...Strict }
)
export type CreateCallReply = Static<typeof CreateCallReply>

export const CallReply = Type.Object({ call: Call }, { $id: 'CallReply', ...Strict })
export const AcceptReply = Type.Object({ call: Call, cursor: CallCursor }, { $id: 'AcceptReply', ...Strict })
export const CallsReply = Type.Object({ calls: Type.Array(Call) }, { $id: 'CallsReply', ...Strict })

export const RejectBody = Type.Object(
  {
    scope: Type.Optional(
      Type.Enum(['device', 'user'], {
        description:
          '`user` (default) declines for all devices; `device` silences this one, and declines when it was the last'
      })
    )
  },
  { $id: 'RejectBody', examples: [{ scope: 'device' }], ...Strict }
)
export type RejectBody = Static<typeof RejectBody>

export const HangupBody = Type.Object(
  {
    reason: Type.Optional(
      Type.Enum(['hangup', 'media_failed'], {
        description: '`media_failed` when ICE or DTLS gave up; `hangup` by default'
      })
    )
  },
  { $id: 'HangupBody', examples: [{ reason: 'hangup' }], ...Strict }
)
export type HangupBody = Static<typeof HangupBody>

export const EmptyBody = Type.Object({}, { $id: 'EmptyBody', description: 'No members; may be left out', ...Strict })
