// The event stream, the long-poll, and tickets for EventSource.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Streams } from '../delivery/streams.js'
import { AppError } from '../errors.js'
import { isWithoutBody } from '../plugins/bodies.js'
import type { Actor } from '../schemas/claims.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  EventsHeaders,
  EventsQuery,
  POLL_LIMIT,
  POLL_MAX_BYTES,
  POLL_WAIT_S,
  PollQuery,
  PollReply,
  TicketReply
} from '../schemas/stream.js'
import type { Context } from '../services/context.js'
import { issueTicket, secretOf } from '../services/tickets.js'

const STREAM_EXAMPLE = `retry: 2140
event: hello
data: {"type":"hello","timestamp":"2026-11-21T10:00:00.000Z","data":{"cursor":"41.k3f9p","heartbeatMs":15000}}
id: 41.k3f9p

event: call.ringing
data: {"type":"call.ringing","timestamp":"2026-11-21T10:00:04.120Z","data":{"callId":"7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d","version":2,"by":{"user":"bob","device":null}}}
id: 42.x7w2q

`

const EVENT_STREAM = {
  description:
    'A stream of Server-Sent Events, chunked over HTTP/1.1 with one frame in each chunk. The `data` of each frame is an `Event` as JSON, without its `id`, which is the `id:` of the frame. ' +
    'Instead of 429 or 503, which would stop an `EventSource` for good, the reply is a stream with `retry:` and one `end` event.',
  content: {
    'text/event-stream': {
      schema: Type.String({ description: 'Frames as in the HTML standard, section 9.2.' }),
      examples: { hello: { summary: 'Opened without a cursor', value: STREAM_EXAMPLE } }
    }
  }
}

const STREAM_SCHEMA = {
  tags: ['events'],
  querystring: EventsQuery,
  headers: EventsHeaders,
  response: { 200: EVENT_STREAM, ...problems('invalid_request', 'invalid_ticket') }
}

const STREAM_CONFIG = { limit: 'reads', eventRoute: true, eventStream: true } as const

interface EventParts {
  readonly context: Context
  readonly streams: Streams
}

const OPEN_EVENT_STREAM = {
  config: STREAM_CONFIG,
  schema: {
    ...STREAM_SCHEMA,
    operationId: 'openEventStream',
    summary: 'Open the event stream',
    description:
      'Sends your events as they happen, for as long as the connection is open. Open it before you call or join a room.\n\n' +
      'With `Last-Event-ID`, `lastEventId` or `cursor` the stream resumes: stored events after it are sent first, then `caught-up`. If some are ' +
      'lost, or the cursor cannot be read, `reset` comes instead: get the snapshot. Without a cursor the stream begins with `hello` and new events.\n\n' +
      'A device has one stream or poll at a time; a newer one ends it as `superseded`. Generated clients that read a whole reply before ' +
      'returning it should use `pollEvents`.'
  }
} as const

const OPEN_EVENT_STREAM_BY_POST = {
  config: STREAM_CONFIG,
  schema: {
    ...STREAM_SCHEMA,
    operationId: 'openEventStreamByPost',
    summary: 'Open the event stream by POST',
    description:
      'The same stream as `openEventStream`, for networks with proxies that buffer the reply to a GET. Generated clients that read a whole ' +
      'reply before returning it should use `pollEvents`.',
    response: { 200: EVENT_STREAM, ...problems(...BODY_PROBLEMS, 'invalid_ticket') }
  }
} as const

const POLL_EVENTS = {
  config: { limit: 'reads', eventRoute: true },
  schema: {
    operationId: 'pollEvents',
    tags: ['events'],
    summary: 'Poll for events',
    description:
      'Returns the events after `cursor`, or waits up to `wait` seconds for the next one. Poll again with the returned cursor. Without a ' +
      'cursor the reply comes at once, with the cursor to start from.\n\n' +
      'The stream and the poll share one mailbox and cursor: change from one to the other at any time. A poll with the same cursor ' +
      'returns the same events again. A newer stream or poll of this device ends this one as `superseded`.',
    querystring: PollQuery,
    response: {
      200: PollReply,
      ...problems(
        'invalid_request',
        'invalid_cursor',
        'invalid_ticket',
        'superseded',
        'too_many_devices',
        'rate_limited',
        'shutting_down'
      )
    }
  }
} as const

const CREATE_EVENT_TICKET = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'createEventTicket',
    tags: ['events'],
    summary: 'Create a ticket',
    description:
      'Returns a short-lived ticket that opens the event stream of this device without a header, for `EventSource`: ' +
      '`new EventSource("/v1/events?ticket=…")`. It is valid for any number of streams and polls, until the token expires, the device signs off, ' +
      'or it is not used for two minutes.',
    response: { 201: TicketReply, ...problems(...BODY_PROBLEMS, 'rate_limited') }
  }
} as const

export const eventRoutes: FastifyPluginAsyncTypebox<EventParts> = async (app, { context, streams }) => {
  app.addHook('preValidation', (request, _reply, done) => {
    request.query = lastOfEach(request.query as Readonly<Record<string, unknown>>)
    done()
  })

  app.get('/events', OPEN_EVENT_STREAM, (request, reply) => openStream(streams, request, reply))

  app.post('/events', OPEN_EVENT_STREAM_BY_POST, (request, reply) => openStream(streams, request, reply))

  app.get('/events/poll', POLL_EVENTS, async ({ actor, query }, reply) => {
    const { wait = POLL_WAIT_S, limit = POLL_LIMIT, maxBytes = POLL_MAX_BYTES } = query
    const cursor = query.lastEventId || query.cursor
    const body = await streams.poll({ actor, cursor, waitMs: wait * 1000, limit, maxBytes, res: reply.raw })
    return sendJson(reply, body)
  })

  app.post('/events/tickets', CREATE_EVENT_TICKET, async (request, reply) =>
    reply.code(201).send(await issueTicket(context, request.actor))
  )
}

interface StreamOpening {
  readonly actor: Actor
  readonly headers: { readonly 'last-event-id'?: string | undefined }
  readonly query: {
    readonly cursor?: string | undefined
    readonly lastEventId?: string | undefined
    readonly ticket?: string | undefined
    readonly ack?: boolean | undefined
    readonly maxBytes?: number | undefined
  }
}

/** Polyfills append `lastEventId` to a URL that may have one already: the last value is the newest. */
const lastOfEach = (query: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value]))

/** The stream takes over the socket. For Fastify the request has ended. */
function openStream(streams: Streams, { actor, headers, query }: StreamOpening, reply: FastifyReply): void {
  // Fastify does not read the body of a GET, and after the takeover no one would.
  if (reply.raw.req.method === 'GET' && !isWithoutBody(reply.raw.req.headers)) {
    throw new AppError('invalid_request', { detail: 'A GET that opens a stream has no body' })
  }
  // A pipelined request has no socket until the replies before it are finished.
  if (reply.raw.socket === null && !reply.raw.req.socket.destroyed) {
    throw new AppError('invalid_request', { detail: 'A request that opens a stream waits for the replies before it' })
  }
  streams.open({
    actor,
    cursor: headers['last-event-id'] || query.lastEventId || query.cursor,
    ticket: secretOf(query.ticket),
    acknowledges: query.ack,
    maxBytes: query.maxBytes,
    res: reply.raw,
    headers: reply.getHeaders()
  })
  reply.hijack()
}

/** Sends JSON text without serializing it again. The response schema only documents it. */
function sendJson(reply: FastifyReply, body: string): never {
  return reply.type('application/json; charset=utf-8').send(body) as never
}
