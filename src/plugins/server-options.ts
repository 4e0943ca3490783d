// The options of Fastify: logging, limits, and strict validation, which never changes a request to make it valid.
import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import AjvCompiler from '@fastify/ajv-compiler'
import SerializerCompiler from '@fastify/fast-json-stringify-compiler'
import { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyRequest, LogController } from 'fastify'
import { pino } from 'pino'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { ID_FORMATS } from '../schemas/common.js'
import { asAppError, problemOf, sendProblem } from './errors.js'
import { Reply } from './reply.js'
import { answerPreflight, type BrowserHeaders, createBrowserHeaders } from './security.js'

type EdgeConfig = Pick<Config, 'logLevel' | 'trustProxy' | 'requestTimeoutMs' | 'maxSdpBytes' | 'corsOrigins'>

/** Bytes of all headers of a request together. A token with claims for many rooms fits. */
const HEADERS_LIMIT = 16 * 1024

/** Longer than load balancers keep idle connections (60 s is common): they close first, and never send on a connection that is closing. */
const KEEP_ALIVE_MS = 72_000

/** In bytes. Metadata and candidates fit, even if JSON escapes triple their size. */
const BODY_LIMIT = 256 * 1024
/** How many times larger than its text a session description may be in a body: JSON escapes each line end, and may escape all else. */
const SDP_IN_BODY = 4

/** No hook runs for a request whose path cannot be decoded, so `charge` is called with it. If it throws, the error becomes the reply. */
export function serverOptions(
  { logLevel, trustProxy, requestTimeoutMs, maxSdpBytes, corsOrigins }: EdgeConfig,
  charge: (request: FastifyRequest) => void = () => {}
) {
  let requests = 0
  const headersOf = createBrowserHeaders({ corsOrigins })
  return {
    loggerInstance: createLogger(logLevel),
    // plugins/metrics.ts logs requests, at level debug only.
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for each request costs more than validating its body. Log entries name their call or route instead.
    childLoggerFactory: logger => logger,
    bodyLimit: Math.max(BODY_LIMIT, SDP_IN_BODY * maxSdpBytes),
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    // Until the whole request has arrived, headers included; also for a connection on which no request has begun. For replies see
    // plugins/connection-limits.ts, for streams delivery/stream-writer.ts.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      // How often Node checks for late requests. Its default of 30 s could double the timeout.
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10),
      maxHeaderSize: HEADERS_LIMIT,
      ServerResponse: Reply,
      // plugins/request-heads.ts refuses a request without Host.
      requireHostHeader: false
    },
    requestIdHeader: false,
    genReqId: () => (++requests).toString(36),
    // A HEAD request would open a stream.
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Ids are at most 255 bytes, and percent-encoding may triple them.
    routerOptions: { maxParamLength: 765 },
    schemaController: { compilersFactory: { buildValidator, buildSerializer } },
    frameworkErrors: (error, request, reply) => {
      reply.headers(headersOf(request.headers.origin))
      if (answerPreflight(request, reply)) return
      sendProblem(asAppError(refusedBy(charge, request) ?? error), request, reply)
    },
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, headersOf)
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
 * Replies on the bare socket to what does not become a request: bytes that are not HTTP (a NUL in a header, too many headers), and a
 * request that does not arrive in time.
 */
function refuseConnection(error: ClientError, socket: Socket, headersOf: BrowserHeaders): void {
  const isAnswering = (socket as AnsweringSocket)._httpMessage?.headersSent === true
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy(error)
    return
  }
  const failure = failureOf(error)
  const problem = problemOf(failure, '/')
  const body = JSON.stringify(problem)
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`
  const head = [status, 'content-type: application/problem+json', 'cache-control: no-store', 'connection: close']
  for (const [name, value] of Object.entries(headersOf(originIn(error.rawPacket)))) head.push(`${name}: ${value}`)
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

function failureOf({ code }: ClientError): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('request_timeout')
  const detail =
    code === 'HPE_HEADER_OVERFLOW'
      ? `The path and the headers together are larger than ${HEADERS_LIMIT} bytes`
      : 'This cannot be read as an HTTP request'
  return new AppError('invalid_request', { detail })
}

/** `rawPacket` is what was received last. */
type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: unknown }

function originIn(packet: unknown): string | undefined {
  return Buffer.isBuffer(packet) ? /\r\norigin: *(\S+)\r\n/i.exec(packet.toString('latin1'))?.[1] : undefined
}

/** `_httpMessage` is the reply that is being written; Node's own handler reads it too. A second reply in the middle would corrupt it. */
type AnsweringSocket = Socket & { readonly _httpMessage?: { readonly headersSent: boolean } | null }

function createLogger(level: string): FastifyBaseLogger {
  return pino({
    level,
    // No code logs headers or bodies. If one does by mistake, these members are removed.
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
/** Unknown members are refused, not removed. Validation stops at the first mistake, which bounds its cost. */
const STRICT = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  allowUnionTypes: true,
  formats: Object.fromEntries(Object.entries(ID_FORMATS).map(([name, { check }]) => [name, check]))
} as const

/**
 * A wrong type in a body is a 400. Members of a path, a query and headers are text, which is coerced to the type of the schema. `array`: a
 * member of a query that is given once is the only item of its list.
 */
const buildValidator: AjvCompiler.BuildCompilerFromPool = schemas => {
  const strict = buildCompiler(schemas, { customOptions: STRICT })
  const coercing = buildCompiler(schemas, { customOptions: { ...STRICT, coerceTypes: 'array' } })
  // Fastify passes `httpPart` beside the schema; the declared type has only the schema.
  return route => {
    const { httpPart } = route as { httpPart?: string }
    return httpPart === 'body' ? compileOnce('body', route, strict) : compileOnce('text', route, coercing)
  }
}

const buildWriters = SerializerCompiler()

const buildSerializer: SerializerCompiler.SerializerFactory = (schemas, options) => {
  // Replies have ids that were checked when they came in.
  const formats = Object.fromEntries(Object.keys(ID_FORMATS).map(name => [name, true as const]))
  const build = buildWriters(schemas, { ...options, ajv: { formats } })
  return route => compileOnce('reply', route, build)
}

/** Schemas contain no references, so equal text means an equal function. It is shared by all routes and all apps of a process. */
const compiled = new Map<string, unknown>()
/** The same by the schema object, so that the second app of a process does not write the text of each schema again. */
const compiledSchemas = {
  body: new WeakMap<object, unknown>(),
  text: new WeakMap<object, unknown>(),
  reply: new WeakMap<object, unknown>()
}

/**
 * Compiles without `$id`. Schemas are composed by value and have their OpenAPI name as `$id`, so a schema may contain one name several
 * times, which the compilers refuse.
 */
function compileOnce<Route, Result>(
  kind: keyof typeof compiledSchemas,
  route: Route,
  compile: (route: Route) => Result
): Result {
  const { schema } = route as { schema: object }
  const same = compiledSchemas[kind].get(schema)
  if (same !== undefined) return same as Result
  const text = JSON.stringify(schema, (key, value) => (key === '$id' ? undefined : value))
  const known = compiled.get(`${kind} ${text}`) as Result | undefined
  const result = known ?? compile({ ...route, schema: JSON.parse(text) })
  compiled.set(`${kind} ${text}`, result)
  compiledSchemas[kind].set(schema, result)
  return result
}
