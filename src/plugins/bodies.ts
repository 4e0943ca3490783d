// Reads bodies: JSON with Fastify's parser, and the forms in which clients send no body. Refuses deep nesting, which would overflow the stack
// of recursive functions later.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify'
import { AppError } from '../errors.js'
import { isDeeperThan, METADATA_MAX_DEPTH } from '../services/metadata-bounds.js'
import { describeMistake } from './json-mistake.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may be left out; it has no required members. */
    optionalBody?: boolean
  }
}

/** Metadata is a member of the body, and no other member nests as deep. */
const BODY_MAX_DEPTH = METADATA_MAX_DEPTH + 1

type Done = (error: Error | null, body?: unknown) => void

export function readBodies(app: FastifyInstance): void {
  parseJson(app)
  app.addHook('preValidation', (request, _reply, done) => {
    // Some generated clients send `null` for a body that the caller left out.
    if (request.body === undefined || (request.body === null && !request.routeOptions.config.acceptsNull)) {
      if (!isBodyOptional(request)) return done(emptyBody(request))
      request.body = {}
    }
    done()
  })
}

/** Call it after authenticate(), so that its refusals are not charged to the address. */
export function checkBodyHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { headers } = request
    if (isWithoutBody(headers)) {
      // Many clients send a Content-Type with every request, also without a body.
      delete headers['content-type']
      return done()
    }
    const coding = headers['content-encoding']
    if (coding === undefined || coding.toLowerCase() === 'identity') return done()
    // RFC 9110, section 15.5.16: the codings that would be accepted.
    reply.header('accept-encoding', 'identity')
    const detail = `Content-Encoding: ${coding} is not supported. Send the body without it.`
    done(new AppError('unsupported_media_type', { detail }))
  })
}

/** RFC 9112, section 6: one of these headers announces a body. */
export function isWithoutBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

function parseJson(app: FastifyInstance): void {
  // Refuses a member `__proto__`, and a `constructor` with a `prototype`.
  const parseText = app.getDefaultJsonParser('error', 'error')

  function parse(request: FastifyRequest, text: string, done: Done): void {
    if (!/\S/.test(text)) return void done(null)
    // JSON.parse itself does not recurse.
    parseText(request, text, (error, body) => {
      if (error !== null) done(malformed(text))
      else if (isDeeperThan(body, BODY_MAX_DEPTH)) done(tooDeep())
      else if (hasLoneSurrogate(text, body)) done(loneSurrogate())
      else done(null, body)
    })
  }

  app.addContentTypeParser('*', parseNothing)
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parse)
  // Fastify's own parser for text/plain returns a string.
  app.removeContentTypeParser('text/plain')
  // navigator.sendBeacon() sends text/plain. If the body is optional, text that is not a JSON object is ignored.
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (request, text: string, done) => {
    if (!isBodyOptional(request)) done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE())
    else if (text.trimStart().startsWith('{')) parse(request, text, done)
    else done(null)
  })
}

/** For all other types. Proxies make a chunked body without a chunk of a request over HTTP/2 that has no body. */
function parseNothing({ is404 }: FastifyRequest, payload: IncomingMessage, done: Done): void {
  let isParsed = false
  const finish = (error: Error | null) => {
    if (!isParsed) done(error)
    isParsed = true
  }
  const refuse = () => finish(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE())
  if (is404) finish(null)
  else
    payload
      .once('data', refuse)
      .once('error', refuse)
      .once('end', () => finish(null))
}

function isBodyOptional({ routeOptions: { config, schema } }: FastifyRequest): boolean {
  return config.optionalBody === true || schema?.body === undefined
}

/** Fastify's parser ignores a byte order mark. */
function malformed(text: string): AppError {
  const mistake = describeMistake(text.replace(/^\uFEFF/, ''))
  return new AppError('malformed_json', {
    detail: mistake ?? 'The body has a member __proto__, or constructor with a member prototype'
  })
}

const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/

/**
 * Half of a surrogate pair, which UTF-8 cannot express and the parsers of several languages refuse (RFC 8259, section 8.2). Only an escape
 * can make one: the bytes of one have become U+FFFD.
 */
const hasLoneSurrogate = (text: string, body: unknown): boolean => ESCAPED_SURROGATE.test(text) && !isUnicode(body)

/** The nesting is bounded already. */
function isUnicode(value: unknown): boolean {
  if (typeof value === 'string') return !/\p{Cs}/u.test(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isUnicode(name) && isUnicode(member))
}

const loneSurrogate = () =>
  new AppError('invalid_request', { detail: 'body has half of a surrogate pair, such as \\ud83d without \\ude00' })

const tooDeep = () => new AppError('too_large', { detail: `The body nests deeper than ${BODY_MAX_DEPTH} levels` })

function emptyBody({ routeOptions: { config } }: FastifyRequest): AppError {
  const issues = [{ path: 'body', message: 'must not be empty' }]
  const needed = config.bodyType ?? (config.acceptsSdp ? 'a JSON object or a session description' : 'a JSON object')
  return new AppError('invalid_request', {
    detail: `empty body: this operation needs ${needed}`,
    extra: { issues }
  })
}
