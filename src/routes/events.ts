// How events reach a device: the stream, the long-poll, and tickets for EventSource.
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Streams } from '../delivery/streams.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { problems } from '../schemas/problem.js'
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

id: 41.k3f9p
event: hello
data: {"type":"hello","timestamp":"2026-11-21T10:00:00.000Z","data":{"cursor":"41.k3f9p","heartbeatMs":15000}}

id: 42.x7w2q
event: call.ringing
data: {"type":"call.ringing","timestamp":"2026-11-21T10:00:04.120Z","data":{"callId":"c1","version":2}}

`

const EVENT_STREAM = {
  description:
    'A Server-Sent-Events stream. The `data:` of every frame is an envelope `{type, timestamp, data}`; the events that the stream ' +
    'sends about itself are shown here, those of calls under “events”. Instead of 429 and 503, which would silence an EventSource for ' +
    'good, the answer is a stream that ends at once, with `retry:` and an `end`.',
  content: {
    'text/event-stream': {
      schema: Type.String({ description: 'Frames as in the WHATWG HTML standard, section 9.2' }),
      examples: { hello: { summary: 'Opened without a cursor', value: STREAM_EXAMPLE } }
    }
  }
}

const STREAM_SCHEMA = {
  tags: ['events'],
  querystring: EventsQuery,
  headers: EventsHeaders,
  response: { 200: EVENT_STREAM, ...problems('invalid_request', 'invalid_cursor', 'invalid_ticket') }
}

const STREAM_CONFIG = { limit: 'reads', eventRoute: true, eventStream: true } as const

interface EventParts {
  readonly context: Context
  readonly streams: Streams
}

export const eventRoutes: FastifyPluginAsyncTypebox<EventParts> = async (app, { context, streams }) => {
  app.route({
    method: 'GET',
    url: '/events',
    config: STREAM_CONFIG,
    schema: {
      ...STREAM_SCHEMA,
      operationId: 'openEventStream',
      summary: 'Receive events as they happen',
      description:
        'Resumes after `Last-Event-ID` or `cursor`: everything after it is replayed, then `caught-up`. If that cannot be done ' +
        'without a gap, `reset` says why. Without a cursor: `hello`. A device has one stream or poll; the newest wins.'
    },
    handler: (request, reply) => openStream(streams, request, reply)
  })

  app.route({
    method: 'POST',
    url: '/events',
    config: STREAM_CONFIG,
    schema: {
      ...STREAM_SCHEMA,
      operationId: 'openEventStreamByPost',
      summary: 'The same stream, for tunnels that hold back the answer to a GET'
    },
    handler: (request, reply) => openStream(streams, request, reply)
  })

  app.route({
    method: 'GET',
    url: '/events/poll',
    config: { limit: 'reads', eventRoute: true },
    schema: {
      operationId: 'pollEvents',
      tags: ['events'],
      summary: 'Receive the next events, or wait for them',
      description:
        'The same mailbox and cursor as the stream; a client may change from one to the other at any event. The same cursor gets the ' +
        'same answer. Without a cursor: returns at once with the cursor to begin from.',
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
    },
    async handler({ actor, query }, reply) {
      const { cursor, wait = POLL_WAIT_S, limit = POLL_LIMIT, maxBytes = POLL_MAX_BYTES } = query
      const body = await streams.poll({ actor, cursor, waitMs: wait * 1000, limit, maxBytes, res: reply.raw })
      return sendJson(reply, body)
    }
  })

  app.route({
    method: 'POST',
    url: '/events/tickets',
    config: { limit: 'reads' },
    schema: {
      operationId: 'createEventTicket',
      tags: ['events'],
      summary: 'A ticket to open the stream with where no header can be set',
      description:
        'Opens any number of streams and polls of this device until the token expires, the device signs off, or it was not used for two minutes.',
      response: { 201: TicketReply, ...problems('invalid_request', 'rate_limited') }
    },
    handler: async (request, reply) => reply.code(201).send(await issueTicket(context, request.actor))
  })
}

interface StreamOpening {
  readonly actor: Actor
  readonly headers: { readonly 'last-event-id'?: string | undefined }
  readonly query: {
    readonly cursor?: string | undefined
    readonly ticket?: string | undefined
    readonly ack?: boolean | undefined
  }
}

/** The stream goes on with the bare socket; for Fastify this request is over. */
function openStream(streams: Streams, { actor, headers, query }: StreamOpening, reply: FastifyReply): void {
  // Fastify reads no body of a GET, and what comes after the takeover is nobody's.
  if (reply.raw.req.method === 'GET' && hasBody(reply.raw.req.headers)) {
    throw new AppError('invalid_request', { detail: 'A GET that opens a stream has no body' })
  }
  // Node gives a pipelined request its socket when the replies before it are finished; until then there is none to take over.
  if (reply.raw.socket === null && !reply.raw.req.socket.destroyed) {
    throw new AppError('invalid_request', { detail: 'A request that opens a stream waits for the replies before it' })
  }
  streams.open({
    actor,
    cursor: headers['last-event-id'] || query.cursor,
    ticket: secretOf(query.ticket),
    acknowledges: query.ack,
    res: reply.raw,
    headers: reply.getHeaders()
  })
  reply.hijack()
}

/** RFC 9112, section 6: one of these headers announces a body. */
function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Text that is JSON already goes out as it is; the schema documents it. */
function sendJson(reply: FastifyReply, body: string): never {
  return reply.type('application/json; charset=utf-8').send(body) as never
}
