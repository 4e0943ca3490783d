// How Fastify itself is set up: what it logs, how much it takes, and that nothing in a request is ever bent to fit.

import type { Socket } from 'node:net'
import AjvCompiler from '@fastify/ajv-compiler'
import SerializerCompiler from '@fastify/fast-json-stringify-compiler'
import { type FastifyBaseLogger, type FastifyRequest, type FastifyServerOptions, LogController } from 'fastify'
import { pino } from 'pino'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { asAppError, problemOf, sendProblem } from './errors.js'

/** An SDP of 64 KiB, a candidate batch and metadata all fit, also when a client escapes every character. */
const BODY_LIMIT = 256 * 1024

export function serverOptions(config: Pick<Config, 'logLevel'>) {
  let requests = 0
  return {
    loggerInstance: createLogger(config.logLevel),
    // plugins/metrics.ts writes one line a request, and only at level debug.
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for every request costs more than validating its body; what is logged names its call or its route.
    childLoggerFactory: logger => logger,
    bodyLimit: BODY_LIMIT,
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
      sendProblem(asAppError(error), request, reply)
    },
    clientErrorHandler: refuseConnection
  } satisfies FastifyServerOptions
}

/** What is no HTTP (a NUL in a header, too many headers) never becomes a request; the answer goes to the bare socket. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error)
    return
  }
  const failure = new AppError('invalid_request', { detail: 'This cannot be read as an HTTP request' })
  const body = JSON.stringify(problemOf(failure, '/'))
  const head = ['HTTP/1.1 400 Bad Request', 'content-type: application/problem+json', 'connection: close']
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

function createLogger(level: string): FastifyBaseLogger {
  return pino({
    level,
    // A belt to the braces: nothing here logs headers or bodies, and a later line that does must not leak them.
    redact: ['authorization', 'cookie', '*.authorization', '*.cookie', '*.ticket', '*.token', '*.sdp', '*.candidate'],
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
  return route => ((route as { httpPart?: string }).httpPart === 'body' ? strict : reading)(nameless(route))
}

const buildWriters = SerializerCompiler()

const buildSerializer: SerializerCompiler.SerializerFactory = (schemas, options) => {
  const build = buildWriters(schemas, options)
  return route => build(nameless(route))
}

/**
 * Contract schemas are composed by value and carry their OpenAPI name as `$id`, so one name may stand in a route several
 * times; a compiler takes that for several schemas under one address.
 */
function nameless<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key === '$id' ? undefined : value)))
}
