// The timeline of a call as its parties see it.
import { type Static, Type } from 'typebox'
import { EndReason, SendsAudio, SendsVideo } from './call.js'
import { CalleeReason, CallParty } from './callee.js'
import { CallId, Nullable, Strict, Timestamp, UserId } from './common.js'

export const TimelineEntryType = Type.Enum(
  [
    'created',
    'ringing',
    'declined',
    'callee_changed',
    'accepted',
    'offer',
    'answer',
    'candidates_held',
    'candidates_stale',
    'connected',
    'held',
    'resumed',
    'media_changed',
    'message',
    'away',
    'back',
    'transferring',
    'transfer_failed',
    'transferor_left',
    'transferred',
    'ended',
    'webhook',
    'push',
    'policy'
  ],
  {
    $id: 'TimelineEntryType',
    description:
      '`ringing`: a device of the callee reported that it rings. `declined`: one of several devices declined. `callee_changed`: one of several users began or stopped ringing. `offer`, `answer`: a description ' +
      'was sent. `candidates_held`: candidates had to wait for their description or for the answer to the call; candidates that were passed ' +
      'on at once leave no entry. `candidates_stale`: the description just sent does not have the ufrag of candidates that are held, so they ' +
      'belong to another ICE generation; they go on waiting for it. `held`, `resumed`: a side put the call on hold, or took it off hold. `media_changed`: a side muted its ' +
      'audio or video, or unmuted it. `message`: a side sent an application message; its content is not kept. `away`, `back`: the device of a side ' +
      'disconnected, or came back. `transferring`: a side began a transfer to the user `to`. `transfer_failed`: that user did not take the call. ' +
      '`transferor_left`: the side that transfers the call left before the target answered. `transferred`: the target accepted. `webhook`: an event was sent to the systems of the operator. `push`: a device was to be woken; the caller ' +
      'does not see it. `policy`: the policy service was asked; only the user who called, or who transfers the call, sees it.'
  }
)

export const TimelineOutcome = Type.Enum(
  ['delivered', 'failed', 'given_up', 'gone', 'allowed', 'rewritten', 'redirected'],
  {
    $id: 'TimelineOutcome',
    description:
      'Of a `webhook` or `push`: `delivered`; `failed`, to be tried again; `given_up`, after the last attempt; `gone`: the device has no ' +
      'subscription any more. Of `policy`: `allowed`, `rewritten`, `redirected` to another user, or `failed`: the service gave no valid answer, and ' +
      'the server allows what it does not decide.'
  }
)
export type TimelineOutcome = Static<typeof TimelineOutcome>

export const TimelineEntry = Type.Object(
  {
    at: Timestamp('When it happened.'),
    type: TimelineEntryType,
    by: Nullable(CallParty, 'Who did it, or whose device it happened to. Null if a timer or the server did it.'),
    revision: Type.Optional(Type.Integer({ minimum: 1, description: 'The negotiation of an `offer` or `answer`.' })),
    count: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'How many there were: `candidates_held`, `candidates_stale`, `message`.'
      })
    ),
    unconfirmed: Type.Optional(
      Type.Boolean({
        description:
          'True: no side has reported that media flows, but the connect time is over. Given with `connected`.'
      })
    ),
    audio: Type.Optional(Nullable(SendsAudio)),
    video: Type.Optional(Nullable(SendsVideo)),
    callee: Type.Optional(
      Type.Enum(['ringing', 'ended'], { $id: 'ChangedCalleeState', description: 'Given with `callee_changed`.' })
    ),
    calleeReason: Type.Optional(CalleeReason),
    reason: Type.Optional(EndReason),
    to: Type.Optional(UserId('The target of a transfer.')),
    toCall: Type.Optional(CallId('The call that an attended transfer replaces.')),
    event: Type.Optional(
      Type.String({
        description: 'The type of the event of a `webhook` or `push`, or the action that `policy` was asked about.',
        examples: ['call.ended']
      })
    ),
    outcome: Type.Optional(TimelineOutcome),
    attempt: Type.Optional(Type.Integer({ minimum: 1, description: 'Which attempt of a `webhook` or `push` it was.' }))
  },
  { $id: 'TimelineEntry', description: 'One thing that happened in a call.', ...Strict }
)
export type TimelineEntry = Static<typeof TimelineEntry>

export const CallTimeline = Type.Object(
  {
    callId: CallId(),
    entries: Type.Array(TimelineEntry, { description: 'Oldest first.' }),
    omitted: Type.Integer({
      minimum: 0,
      description:
        'Entries that were dropped from the middle: the first 16 and the newest ones are kept, at most 48. Of `webhook`, `push` and ' +
        '`policy` at most 64 are kept, which are not counted here.'
    })
  },
  { $id: 'CallTimeline', description: 'What happened in a call.', ...Strict }
)
export type CallTimeline = Static<typeof CallTimeline>
