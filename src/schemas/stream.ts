// What a stream says of itself, and the requests that open one. The events it carries are in event.ts and call.ts.
import { type Static, type TProperties, Type } from 'typebox'
import { ENDS, type EndReason } from '../ends.js'
import { DurationMs, Id, Strict, Timestamp } from './common.js'

export const StreamCursor = Type.String({
  pattern: '^[0-9]{1,15}\\.[a-z0-9]{1,16}$',
  description: 'The id of an event: `<seq>.<tag>`. Resume with it over SSE or long-poll, on any node',
  examples: ['42.k3f9p']
})

const HeartbeatMs = DurationMs(
  'A `heartbeat` comes at least this often. Without one for twice that time, open the stream again'
)

const notice = <const Name extends string, P extends TProperties>(
  type: Name,
  id: string,
  data: P,
  description: string
) =>
  Type.Object(
    {
      type: Type.Literal(type),
      timestamp: Timestamp('When it was sent'),
      data: Type.Object(data, { ...Strict })
    },
    { $id: id, description, ...Strict }
  )

export const HelloEvent = notice(
  'hello',
  'HelloEvent',
  { cursor: StreamCursor, heartbeatMs: HeartbeatMs },
  'First frame of a stream opened without a cursor; it is live from here. Sets the last event id.'
)
export const CaughtUpEvent = notice(
  'caught-up',
  'CaughtUpEvent',
  { cursor: StreamCursor, heartbeatMs: HeartbeatMs },
  'Everything after the given cursor has been sent; the stream is live from here. Sets the last event id.'
)
export const ResetEvent = notice(
  'reset',
  'ResetEvent',
  {
    reason: Type.Enum(['expired', 'evicted', 'unknown', 'future'], {
      description:
        '`expired`: the mailbox was gone for longer than the retention; `evicted`: events after the cursor were trimmed; ' +
        '`unknown`: the cursor is not of this mailbox’s history, or Redis restarted or failed over and may have forgotten events; `future`: the cursor is ahead of the mailbox'
    }),
    cursor: StreamCursor,
    snapshot: Type.String({ description: 'Read this to know where things stand', examples: ['/v1/snapshot'] }),
    heartbeatMs: Type.Optional(HeartbeatMs)
  },
  'Events may have been missed: read the snapshot. The stream is live from `cursor`, without a `caught-up`. It may come at any time. ' +
    'Sets the last event id.'
)
export const HeartbeatEvent = notice(
  'heartbeat',
  'HeartbeatEvent',
  {
    cursor: StreamCursor,
    ack: Type.Optional(
      Type.Literal(true, { description: 'Acknowledge with any request of this device, `PUT /v1/presence` for example' })
    )
  },
  'The stream lives, and has sent everything up to `cursor`. With `ack` the stream was opened with `ack=true` and the device is in a call or ' +
    'room: without a request of the device within two heartbeats the stream ends `unresponsive`.'
)
export const ReconnectEvent = notice(
  'reconnect',
  'ReconnectEvent',
  { afterMs: DurationMs('Come back after this long') },
  'The node is shutting down; an `end` follows.'
)
export const AuthExpiringEvent = notice(
  'auth.expiring',
  'AuthExpiringEvent',
  { expiresInMs: DurationMs('When the stream will end') },
  'Any request of this device with a fresh token extends the stream.'
)

const reasons = Object.keys(ENDS) as EndReason[]

export const EndEvent = notice(
  'end',
  'EndEvent',
  {
    reason: Type.Enum(reasons, {
      description: reasons.map(reason => `\`${reason}\`: ${ENDS[reason].meaning}`).join('. ')
    }),
    reconnect: Type.Boolean({
      description: 'Whether to open the stream again. If not, close the EventSource: it would try'
    }),
    afterMs: Type.Optional(DurationMs('With `reconnect`: wait this long; `retry:` says the same'))
  },
  'The last frame: why the stream ends.'
)

export const StreamEvent = Type.Union(
  [HelloEvent, CaughtUpEvent, ResetEvent, HeartbeatEvent, ReconnectEvent, AuthExpiringEvent, EndEvent],
  { $id: 'StreamEvent', description: 'What a stream says of itself' }
)
export type StreamEvent = Static<typeof StreamEvent>

/** What an EventSource cannot say in headers. Read by plugins/auth.ts. */
const identity = {
  device: Type.Optional(Id('Device id, where the header X-Device-Id cannot be set', 'phone')),
  ticket: Type.Optional(Type.String({ maxLength: 256, description: 'Instead of a token: see createEventTicket' }))
}

// Not the pattern: what is wrong with a cursor is an invalid_cursor, and the code that parses it says so.
const cursor = Type.Optional(
  Type.String({
    maxLength: 64,
    description: 'The last event you have, or `start` for all that is kept. Nothing: live from now',
    examples: ['42.k3f9p']
  })
)

const ack = Type.Optional(
  Type.Boolean({
    default: false,
    description:
      'Promises to acknowledge heartbeats that ask for it, so that a device that hangs counts as gone even while its connection stays open'
  })
)

export const EventsQuery = Type.Object({ cursor, ack, ...identity }, { ...Strict })

export const EventsHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description: 'As EventSource sends it when it reconnects; goes before `cursor`',
      examples: ['42.k3f9p']
    })
  )
})

/** Below the 30 s after which many proxies cut an idle connection. */
export const POLL_WAIT_S = 25
export const POLL_LIMIT = 100
export const POLL_MAX_BYTES = 1_048_576

export const PollQuery = Type.Object(
  {
    cursor,
    ...identity,
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60,
        default: POLL_WAIT_S,
        description: 'Seconds to wait for the first event'
      })
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, default: POLL_LIMIT, description: 'Events in one reply, at most' })
    ),
    maxBytes: Type.Optional(
      Type.Integer({
        minimum: 1024,
        maximum: POLL_MAX_BYTES,
        default: POLL_MAX_BYTES,
        description: 'Bytes of the reply body, at most. Events are never split; one that alone is larger comes alone'
      })
    )
  },
  { ...Strict }
)

export const PolledEvent = Type.Object(
  {
    id: StreamCursor,
    type: Type.String({ description: 'As the `event:` line of the stream', examples: ['call.incoming'] }),
    timestamp: Timestamp('When it happened'),
    data: Type.Record(Type.String(), Type.Unknown(), { description: 'As in the stream' })
  },
  { $id: 'PolledEvent', description: 'An event with its id', ...Strict }
)

const PassingNotice = Type.Object(
  { type: PolledEvent.properties.type, timestamp: PolledEvent.properties.timestamp, data: PolledEvent.properties.data },
  { $id: 'PassingNotice', description: 'Something of the moment, which is kept nowhere', ...Strict }
)

export const PollReply = Type.Object(
  {
    events: Type.Array(PolledEvent, { description: 'In order. A `reset` comes alone' }),
    cursor: StreamCursor,
    notices: Type.Optional(
      Type.Array(PassingNotice, {
        description:
          'What others said in passing (`chat.typing`) while the poll waited, which ends it. No event: it has no id, moves no cursor, ' +
          'and comes once or not at all'
      })
    )
  },
  { $id: 'PollReply', description: 'Poll again with `cursor`; that is also the acknowledgement', ...Strict }
)

export const TicketReply = Type.Object(
  {
    ticket: Type.String({ description: 'For `?ticket=` on the event routes' }),
    expiresInMs: DurationMs(
      'Use it before; every use and every open stream then keep it alive, until the token expires'
    )
  },
  { $id: 'TicketReply', description: 'A stand-in for the token', ...Strict }
)
export type TicketReply = Static<typeof TicketReply>
