// Turns each thrown error into a problem document (RFC 9457). The body is serialized here and not by the route's response schema, which
// could remove members, or fail and turn a 400 into a 500.
import { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import { endFrame } from '../delivery/frames.js'
import type { StreamEndReason } from '../ends.js'
import { AppError, ERRORS, type ErrorCode } from '../errors.js'
import type { Ids } from '../ids.js'
import type { Metrics } from '../metrics.js'
import type { Problem } from '../schemas/problem.js'
import { issuesOf, type ValidationFault } from './issues.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** An EventSource stops for good after a 429 or 503, so the reply is 200 with a stream that ends at once. */
    eventStream?: boolean
  }
}

/** Fastify's error codes and the codes of ERRORS. Any other 4xx of Fastify is an invalid_request. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_NOT_FOUND: 'not_found'
}

const FASTIFY_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Send the body as JSON, with Content-Type: application/json',
  FST_ERR_BAD_URL: 'The path must be UTF-8, percent-encoded',
  FST_ERR_MAX_PARAM_LENGTH: 'An id in the path is longer than 255 bytes'
}

/** The errors of an event stream that are sent as an `end` event. */
const STREAM_ENDS: Partial<Record<ErrorCode, StreamEndReason>> = {
  rate_limited: 'rate_limited',
  store_unavailable: 'store_unavailable',
  store_full: 'store_full',
  keys_unavailable: 'store_unavailable',
  shutting_down: 'drain'
}

/** For errors without a time of their own. */
const RETRY_AFTER_SECONDS = 1

const retryAfterSeconds = ({ retryAfterMs }: AppError): number =>
  retryAfterMs === undefined ? RETRY_AFTER_SECONDS : Math.ceil(retryAfterMs / 1000)

interface ErrorParts {
  readonly metrics: Metrics
  readonly ids: Ids
  readonly clock: Pick<Clock, 'now'>
}

/** Call it before routes are added: it records their methods for the 405. */
export function handleErrors(app: FastifyInstance, { metrics, ids, clock }: ErrorParts): void {
  const methodsOf = watchRoutes(app)

  app.setErrorHandler((error, request, reply) => {
    const failure = isBeforeRouting(error, request)
      ? refuseRoute(request, reply)
      : asAppError(error, request.routeOptions.bodyLimit)
    if (failure.code === 'internal')
      request.log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed')
    metrics.problems.inc({ code: failure.code })
    const reason = request.routeOptions.config.eventStream === true ? STREAM_ENDS[failure.code] : undefined
    if (reason === undefined) return sendProblem(failure, request, reply)
    const retryMs = 1000 * Number(reply.getHeader('retry-after') ?? retryAfterSeconds(failure)) + ids.between(0, 1000)
    reply.removeHeader('retry-after')
    sendEnd(reply, endFrame(reason, retryMs, clock.now()))
  })

  app.setNotFoundHandler((request, reply) => {
    throw refuseRoute(request, reply)
  })

  function refuseRoute(request: FastifyRequest, reply: FastifyReply): AppError {
    const allowed = methodsOf(pathOf(request))
    if (allowed.length === 0) return new AppError('not_found')
    reply.header('allow', allowed.join(', '))
    return new AppError('method_not_allowed', { detail: `This path takes ${allowed.join(' and ')}` })
  }
}

/**
 * Fastify reads the body, and refuses a QUERY without a Content-Type, before it calls the not-found handler. Errors of our own, such as
 * `rate_limited`, stand.
 */
const isBeforeRouting = (error: unknown, request: FastifyRequest): boolean =>
  request.is404 && !(error instanceof AppError) && (error as FastifyFault).code?.startsWith('FST_') === true

/**
 * A stream with nothing but its `end` event. All STREAM_ENDS say `reconnect`, so the body is cut short: its last chunk is missing
 * (docs/decisions/0030-ends-of-streams.md).
 */
function sendEnd(reply: FastifyReply, frame: string): void {
  reply.code(200).headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const { socket } = reply.raw
  // A pipelined request has no socket until the replies before it are finished.
  if (!(socket instanceof Socket)) return void reply.send(frame)
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value)
  reply.raw.write(frame)
  socket.destroySoon()
}

/** Also for requests that Fastify refuses before routing (server-options.ts). */
export function sendProblem(failure: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(failure, instanceOf(request))
  const { status } = problem
  if (status === 401) reply.header('www-authenticate', challenge(failure))
  const saysWhen = status === 429 || status === 503 || failure.retryAfterMs !== undefined
  if (saysWhen && !reply.hasHeader('retry-after')) {
    reply.header('retry-after', retryAfterSeconds(failure))
  }
  // It may contain the state of a call.
  reply.header('cache-control', 'no-store')
  return reply.code(status).type('application/problem+json').send(JSON.stringify(problem))
}

export function problemOf(failure: AppError, instance: string): Problem {
  const { title, status } = ERRORS[failure.code]
  return {
    type: `/problems/${failure.code}`,
    title,
    status,
    detail: failure.detail ?? title,
    instance,
    code: failure.code,
    retryable: failure.retryable,
    ...failure.extra
  }
}

/** `bodyLimit`: the bytes that the body of the request may have. */
export function asAppError(error: unknown, bodyLimit?: number): AppError {
  if (error instanceof AppError) return error
  if (!(error instanceof Error)) return new AppError('internal', { cause: error })
  const { code = '', statusCode = 500, validation, validationContext } = error as FastifyFault
  if (validation) {
    const issues = issuesOf(validation, validationContext ?? 'body')
    const detail = issues.map(({ path, message }) => `${path} ${message}`).join('; ')
    const isTooLarge = validationContext === 'body' && validation.some(({ keyword = '' }) => UPPER_BOUNDS.has(keyword))
    return new AppError(isTooLarge ? 'too_large' : 'invalid_request', { detail, extra: { issues } })
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' && bodyLimit !== undefined)
    return new AppError('too_large', { detail: `The body is larger than ${bodyLimit} bytes`, cause: error })
  const known = FASTIFY_CODES[code] ?? (statusCode >= 400 && statusCode < 500 ? 'invalid_request' : undefined)
  const detail = FASTIFY_DETAILS[code]
  if (known) return new AppError(known, { cause: error, ...(detail ? { detail } : {}) })
  return new AppError('internal', { cause: error })
}

/** The bounds of JSON Schema on size. A part of a body that exceeds one is `too_large`, as is a body that exceeds the limit. */
const UPPER_BOUNDS = new Set(['maxLength', 'maxItems', 'maxProperties'])

type FastifyFault = Error & {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: readonly ValidationFault[]
  readonly validationContext?: string
}

/** Without the query: a ticket may be in it. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '/'
}

/** Longer than the path of any route with ids of maximum length. */
const INSTANCE_MAX = 2048

/** The path as a URI reference: a percent sign that does not begin an escape is escaped, also one whose escape was cut off. */
const instanceOf = (request: FastifyRequest): string =>
  pathOf(request)
    .slice(0, INSTANCE_MAX)
    .replace(/%(?![\da-f]{2})/gi, '%25')

/**
 * RFC 6750, section 3: no error code for a request without a token, which is `unauthorized` without a detail. A description has only
 * printable ASCII characters, without quotes and backslashes.
 */
function challenge({ code, detail }: AppError): string {
  if (code === 'unauthorized' && detail === undefined) return 'Bearer'
  const description = (detail ?? ERRORS[code].title).replace(/[^ !#-[\]-~]/g, '?')
  return `Bearer error="invalid_token", error_description="${description}"`
}

/** Returns a function that finds the methods of the routes at a path. It runs only for requests without a route, so it need not be fast. */
function watchRoutes(app: FastifyInstance): (path: string) => string[] {
  const routes: { pattern: RegExp; methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    // The wildcard routes are the files of /docs and the CORS preflight. A path that matches one need not exist.
    if (url.includes('*')) return
    const pattern = new RegExp(`^${url.replace(/[.\\+()|[\]{}^$?]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`)
    routes.push({ pattern, methods: Array.isArray(method) ? method : [method] })
  })
  return path =>
    [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))].sort()
}
