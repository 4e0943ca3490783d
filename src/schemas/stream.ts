// Events that a stream sends about itself, and the requests that open one. The other events are in event.ts and room-event.ts.
import { type Static, type TProperties, type TSchema, Type } from 'typebox'
import { ENDS, type StreamEndReason } from '../ends.js'
import { DeviceId, DurationMs, Strict, Timestamp } from './common.js'

export const StreamCursor = Type.String({
  $id: 'EventCursor',
  pattern: '^[0-9]{1,15}\\.[a-z0-9]{1,16}$',
  description: 'The id of an event, `<seq>.<tag>`. Resume after it on any node, with a stream or by long-poll.',
  examples: ['42.k3f9p']
})

/** On a stream the id is the `id:` line of the frame. */
export const EventId = Type.Optional(
  Type.Unsafe<Static<typeof StreamCursor>>({
    ...StreamCursor,
    description: 'Given by long-poll. A stream has it as the `id:` of the frame. Events that are not stored have none.'
  })
)

/** The type of an event in PascalCase: `CallEnded` for `call.ended`. */
export const schemaNameOf = (type: string): string =>
  type.replace(/(?:^|[._-])(\w)/g, (_, letter: string) => letter.toUpperCase())
/** `CallEndedEvent` for `call.ended`. */
export const eventNameOf = (type: string): string => `${schemaNameOf(type)}Event`
/** `CallEndedData` for `call.ended`. */
export const dataNameOf = (type: string): string => `${schemaNameOf(type)}Data`

/** The envelope of all events of one type. */
export const Event = <const T extends string, Data extends TSchema>(type: T, description: string, data: Data) =>
  Type.Object(
    { id: EventId, type: Type.Literal(type), timestamp: Timestamp('When it happened.'), data },
    { $id: eventNameOf(type), description, ...Strict }
  )

const HeartbeatMs = DurationMs('Interval of `heartbeat`. If none arrives for twice this time, open the stream again.')

/** An event that a stream sends about itself. */
const streamEvent = <const T extends string, P extends TProperties>(type: T, description: string, data: P) =>
  Type.Object(
    {
      id: EventId,
      type: Type.Literal(type),
      timestamp: Timestamp('When it was sent.'),
      data: Type.Object(data, { $id: dataNameOf(type), ...Strict })
    },
    { $id: eventNameOf(type), description, ...Strict }
  )

export const HelloEvent = streamEvent(
  'hello',
  'The first event of a stream opened without a cursor. Sets the last event id.',
  { cursor: StreamCursor, heartbeatMs: HeartbeatMs }
)
export const CaughtUpEvent = streamEvent(
  'caught-up',
  'All stored events after the given cursor have been sent. Sets the last event id.',
  { cursor: StreamCursor, heartbeatMs: HeartbeatMs }
)
export const ResetEvent = streamEvent(
  'reset',
  'You may have missed events: get the snapshot. New events follow from `cursor` on, without a `caught-up`. Possible at any time. ' +
    'Sets the last event id.',
  {
    reason: Type.Enum(['expired', 'evicted', 'unknown', 'future'], {
      $id: 'ResetReason',
      description:
        '`expired`: the device was away for longer than `RETENTION_MS`. `evicted`: the mailbox was full and events after the cursor were ' +
        'removed. `unknown`: the cursor is not from this mailbox, or Redis may have lost events. `future`: the cursor is ahead of the mailbox.'
    }),
    cursor: StreamCursor,
    snapshot: Type.String({ description: 'Get this for the current state.', examples: ['/v1/snapshot'] }),
    heartbeatMs: Type.Optional(HeartbeatMs)
  }
)
export const HeartbeatEvent = streamEvent(
  'heartbeat',
  'The stream is alive and has sent everything up to `cursor`. `ack` is given if the stream was opened with `ack=true` and the device is in ' +
    'a call or room: without a request of this device within two heartbeats the stream ends as `unresponsive`.',
  {
    cursor: StreamCursor,
    ack: Type.Optional(
      Type.Literal(true, { description: 'Acknowledge with any request of this device, such as `PUT /v1/presence`.' })
    )
  }
)
export const ReconnectEvent = streamEvent('reconnect', 'The node is shutting down. `end` follows.', {
  afterMs: DurationMs('Reconnect after this time.')
})
export const AuthExpiringEvent = streamEvent(
  'auth.expiring',
  'The token expires soon. Any request of this device with a new token extends the stream.',
  { expiresInMs: DurationMs('Time until the stream ends.') }
)

const reasons = Object.keys(ENDS) as StreamEndReason[]

export const EndEvent = streamEvent(
  'end',
  'The last event of the stream, with the reason. With `reconnect: true` the chunked body is cut short after it, which HTTP clients report as ' +
    'an error; with `reconnect: false`, and after `max_bytes`, it is complete.',
  {
    reason: Type.Enum(reasons, {
      $id: 'StreamEndReason',
      description: reasons.map(reason => `\`${reason}\`: ${ENDS[reason].meaning}`).join('. ')
    }),
    reconnect: Type.Boolean({
      description: 'Whether to open the stream again. If false, close the `EventSource`: it would reconnect by itself.'
    }),
    afterMs: Type.Optional(DurationMs('Wait this long before you reconnect. Same as `retry:`.'))
  }
)

export const StreamEvent = Type.Union(
  [HelloEvent, CaughtUpEvent, ResetEvent, HeartbeatEvent, ReconnectEvent, AuthExpiringEvent, EndEvent],
  { $id: 'StreamEvent', description: 'Events that a stream sends about itself.' }
)
export type StreamEvent = Static<typeof StreamEvent>

/** For EventSource and beacons, which cannot set headers. Read by plugins/auth.ts. */
export const IDENTITY_QUERY = {
  device: Type.Optional(DeviceId('The device, if the header `X-Device-Id` cannot be set.')),
  ticket: Type.Optional(
    Type.String({ maxLength: 405, description: 'A ticket of `createEventTicket`, instead of a token.' })
  )
}

// Without the pattern: a poll refuses other text as invalid_cursor, and a stream begins with `reset`.
const cursor = Type.Optional(
  Type.String({
    description:
      'The id of the last event you received, or `start` for all stored events. By default only new events follow. `lastEventId` is another ' +
      'name of it, which polyfills of `EventSource` send.',
    examples: ['42.k3f9p']
  })
)

/** Takes precedence over `cursor`. The document does not list it (plugins/document.ts). */
const lastEventId = Type.Optional(Type.String())

const ack = Type.Optional(
  Type.Boolean({
    default: false,
    description:
      'Acknowledge heartbeats that ask for it. The server then notices a device that hangs while its connection stays open.'
  })
)

const maxBytes = Type.Optional(
  Type.Integer({
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      'Maximum size of the body. The stream then ends as `max_bytes`: resume it. Events are never split: one that is larger comes alone. For ' +
      'clients that keep the whole body in memory, and proxies that limit its size. By default the stream has no limit.'
  })
)

// Queries accept and ignore other members: gateways and clients add their own.
export const EventsQuery = Type.Object({ cursor, lastEventId, ack, maxBytes, ...IDENTITY_QUERY })

/** Of actions that a page takes while it is being closed. */
export const UnloadQuery = Type.Object(IDENTITY_QUERY)

export const EventsHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description: 'Sent by `EventSource` when it reconnects. Takes precedence over `lastEventId` and `cursor`.',
      examples: ['42.k3f9p']
    })
  )
})

/** Below the 30 s after which many proxies cut an idle connection. */
export const POLL_WAIT_S = 25
export const POLL_LIMIT = 100
export const POLL_MAX_BYTES = 1_048_576

export const PollQuery = Type.Object({
  cursor,
  lastEventId,
  ...IDENTITY_QUERY,
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      default: POLL_WAIT_S,
      description: 'Seconds to wait if there is no event yet.'
    })
  ),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 500,
      default: POLL_LIMIT,
      description: 'Maximum number of events in the reply.'
    })
  ),
  maxBytes: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: POLL_MAX_BYTES,
      default: POLL_MAX_BYTES,
      description: 'Maximum size of the reply. Events are never split: one that is larger comes alone.'
    })
  )
})

/** Any event, for the serialiser. `#Event` is a reference: the OpenAPI document has the union of all events there. */
const AnyEvent = (name: string, id: TProperties) =>
  Type.Object(
    {
      ...id,
      type: Type.String(),
      timestamp: Timestamp('When it happened.'),
      data: Type.Record(Type.String(), Type.Unknown())
    },
    { $id: name, ...Strict }
  )

export const PollReply = Type.Object(
  {
    events: Type.Array(AnyEvent('#Event', { id: StreamCursor }), { description: 'In order. A `reset` comes alone.' }),
    cursor: StreamCursor,
    notices: Type.Optional(
      Type.Array(AnyEvent('#Notice', {}), {
        description:
          'Events that are not stored, such as `chat.typing`, and arrived while the poll was waiting. They have no id, do not move the cursor and are ' +
          'sent at most once.'
      })
    )
  },
  { $id: 'PollReply', description: 'Poll again with `cursor`; that acknowledges these events.', ...Strict }
)

export const TicketReply = Type.Object(
  {
    ticket: Type.String({ description: 'Pass it as `?ticket=`.' }),
    expiresInMs: DurationMs(
      'Use the ticket within this time. Each use and each open stream renews it, until the token expires.'
    )
  },
  { $id: 'TicketReply', description: 'A ticket that replaces the token.', ...Strict }
)
export type TicketReply = Static<typeof TicketReply>
