// How Fastify itself is set up: what it logs, how much it takes, and that nothing in a request is ever bent to fit.

import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import AjvCompiler from '@fastify/ajv-compiler'
import SerializerCompiler from '@fastify/fast-json-stringify-compiler'
import { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyRequest, LogController } from 'fastify'
import { pino } from 'pino'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { asAppError, problemOf, sendProblem } from './errors.js'
import { Reply } from './reply.js'

type EdgeConfig = Pick<Config, 'logLevel' | 'trustProxy' | 'requestTimeoutMs'>

/** Of all headers of a request together: a token with claims for many rooms fits, and a flood of headers does not. */
const HEADERS_LIMIT = 16 * 1024

/** Longer than load balancers keep idle connections (60 s is common), so that they close first and never send into a closed one. */
const KEEP_ALIVE_MS = 72_000

/** An SDP of 64 KiB, a candidate batch and metadata all fit, also when a client escapes every character. */
const BODY_LIMIT = 256 * 1024

/** `charge` is called with each request whose path cannot be decoded, which no hook sees; what it throws is the answer. */
export function serverOptions(
  { logLevel, trustProxy, requestTimeoutMs }: EdgeConfig,
  charge: (request: FastifyRequest) => void = () => {}
) {
  let requests = 0
  return {
    loggerInstance: createLogger(logLevel),
    // plugins/metrics.ts writes one line a request, and only at level debug.
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for every request costs more than validating its body; what is logged names its call or its route.
    childLoggerFactory: logger => logger,
    bodyLimit: BODY_LIMIT,
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    // Until the whole request is here, headers included. A connection on which none has begun counts as well. What follows a
    // request has its own limits: plugins/connection-limits.ts for replies, delivery/stream-writer.ts for streams.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      // Node looks for late requests this often; its own 30 s would double the time allowed.
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10),
      maxHeaderSize: HEADERS_LIMIT,
      ServerResponse: Reply,
      // Refused in plugins/heads.ts.
      requireHostHeader: false
    },
    requestIdHeader: false,
    genReqId: () => (++requests).toString(36),
    // HEAD on a stream would open it.
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Ids are at most 128 characters, and percent-encoding may triple them.
    routerOptions: { maxParamLength: 384 },
    schemaController: { compilersFactory: { buildValidator, buildSerializer } },
    frameworkErrors: (error, request, reply) => {
      sendProblem(asAppError(refusedBy(charge, request) ?? error), request, reply)
    },
    clientErrorHandler: refuseConnection
  } satisfies FastifyHttpOptions<Server, FastifyBaseLogger>
}

function refusedBy(charge: (request: FastifyRequest) => void, request: FastifyRequest): unknown {
  try {
    charge(request)
    return null
  } catch (refusal) {
    return refusal
  }
}

/**
 * What is no HTTP (a NUL in a header, too many headers) never becomes a request, and one that does not arrive in time is not waited
 * for; the answer goes to the bare socket.
 */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const isAnswering = (socket as AnsweringSocket)._httpMessage?.headersSent === true
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy(error)
    return
  }
  const failure =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new AppError('request_timeout')
      : new AppError('invalid_request', { detail: 'This cannot be read as an HTTP request' })
  const problem = problemOf(failure, '/')
  const body = JSON.stringify(problem)
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`
  const head = [status, 'content-type: application/problem+json', 'cache-control: no-store', 'connection: close']
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** The reply that is being written; Node's own handler looks at it too. A second one in the middle of it would be garbage. */
type AnsweringSocket = Socket & { readonly _httpMessage?: { readonly headersSent: boolean } | null }

function createLogger(level: string): FastifyBaseLogger {
  return pino({
    level,
    // A belt to the braces: nothing here logs headers or bodies, and a later line that does must not leak them.
    redact: [
      'authorization',
      'cookie',
      '*.authorization',
      '*.cookie',
      '*.ticket',
      '*.token',
      '*.sdp',
      '*.candidate',
      '*.command'
    ],
    serializers: {
      err: pino.stdSerializers.err,
      req: ({ method, url }: FastifyRequest) => ({ method, path: url.split('?', 1)[0] })
    }
  })
}

const buildCompiler = AjvCompiler()
/** Unknown members are refused, not cut off; and one mistake is enough to stop, however large the body. */
const AS_IT_IS = { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: false } as const

/** A body is taken as it is: a wrong type is a 400. What stands in a path or a query is text, and is read as its schema says. */
const buildValidator: AjvCompiler.BuildCompilerFromPool = schemas => {
  const strict = buildCompiler(schemas, { customOptions: AS_IT_IS })
  const reading = buildCompiler(schemas, { customOptions: { ...AS_IT_IS, coerceTypes: true } })
  // Fastify passes the route's part around the schema; the declared type knows only the schema.
  return route => {
    const { httpPart } = route as { httpPart?: string }
    return httpPart === 'body' ? compileOnce('body', route, strict) : compileOnce('text', route, reading)
  }
}

const buildWriters = SerializerCompiler()

const buildSerializer: SerializerCompiler.SerializerFactory = (schemas, options) => {
  const build = buildWriters(schemas, options)
  return route => compileOnce('reply', route, build)
}

/** Each schema is complete in itself, so equal text means an equal function: for all routes, and for all apps of a process. */
const compiled = new Map<string, unknown>()

/**
 * Contract schemas are composed by value and carry their OpenAPI name as `$id`, so one name may stand in a route several
 * times; a compiler takes that for several schemas under one address.
 */
function compileOnce<Route, Result>(kind: string, route: Route, compile: (route: Route) => Result): Result {
  const { schema } = route as { schema?: unknown }
  const text = JSON.stringify(schema, (key, value) => (key === '$id' ? undefined : value))
  const known = compiled.get(`${kind} ${text}`) as Result | undefined
  if (known !== undefined) return known
  const result = compile({ ...route, schema: JSON.parse(text) })
  compiled.set(`${kind} ${text}`, result)
  return result
}
