// Bodies of signals that are platform objects, such as `JSON.stringify(event.candidate)`, or raw SDP.
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, onRequestHookHandler, preValidationHookHandler } from 'fastify'
import { AppError } from '../errors.js'
import { REVISION_MAX } from '../schemas/signal.js'
import { isWithoutBody } from './bodies.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may be a session description, of the type application/sdp. */
    acceptsSdp?: boolean
    /** The body is SDP of this type and nothing else. */
    bodyType?: 'application/sdp' | 'application/trickle-ice-sdpfrag'
    /** The body `null` has a meaning: it is not a body that the client left out. */
    acceptsNull?: boolean
  }
}

/** RFC 8866, section 8.1: UTF-8. A byte order mark is ignored, as in a JSON body. */
export function readSdpBodies(app: FastifyInstance): void {
  for (const type of ['application/sdp', 'application/trickle-ice-sdpfrag'] as const) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
      // The refusal of the path or the method comes first.
      if (request.is404) return done(null)
      const { acceptsSdp, bodyType } = request.routeOptions.config
      if (bodyType !== type && !(acceptsSdp && type === 'application/sdp')) return done(notADescription())
      const sdp = new TextDecoder().decode(bytes)
      if (isUtf8(bytes)) done(null, { sdp })
      else done(new AppError('invalid_sdp', { detail: `Line ${lineOfReplacement(sdp)}: bytes that are not UTF-8` }))
    })
  }
}

/** Refuses a body of another type than the `bodyType` of the route, JSON too (RFC 9725 sections 4.2 and 4.3.1). */
export const requireBodyType: onRequestHookHandler = (request, reply, done) => {
  const { bodyType } = request.routeOptions.config
  const [type = ''] = request.headers['content-type']?.split(';') ?? []
  if (bodyType === undefined || isWithoutBody(request.headers) || type.trim().toLowerCase() === bodyType) return done()
  reply.header(bodyType === 'application/sdp' ? 'accept-post' : 'accept-patch', bodyType)
  done(new AppError('unsupported_media_type', { detail: `Send the body as ${bodyType}` }))
}

/** Refuses a client that does not take SDP as the reply (RFC 9110 section 12.5.1). Quality values other than 0 make no difference. */
export const requireSdpAccepted: preValidationHookHandler = ({ headers: { accept } }, _reply, done) => {
  const ranges = (accept || '*/*').split(',').filter(range => !/;\s*q=0(?:\.0*)?\s*$/i.test(range))
  const accepted = ranges.map(range => range.split(';')[0]?.trim().toLowerCase())
  if (['*/*', 'application/*', 'application/sdp'].some(range => accepted.includes(range))) return done()
  done(new AppError('not_acceptable', { detail: 'The answer is application/sdp' }))
}

const notADescription = () =>
  new AppError('unsupported_media_type', { detail: 'Only an offer or an answer may be sent as application/sdp' })

const lineOfReplacement = (text: string): number => text.slice(0, text.indexOf('\ufffd')).split('\n').length

/** The members `revision` and `to` of a description may be in the query: a body of application/sdp cannot have them. */
export const acceptMembersInQuery: preValidationHookHandler = (request, _reply, done) => {
  const { body, query } = request as { body: unknown; query: Readonly<Record<string, unknown>> }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) request.body = { ...membersIn(query), ...body }
  done()
}

/** What the schema of the query refuses is left out, so that its refusal names the query. */
function membersIn({ revision, to }: Readonly<Record<string, unknown>>): object {
  const number = typeof revision === 'string' && revision !== '' ? Number(revision) : 0
  return {
    ...(Number.isInteger(number) && number >= 1 && number <= REVISION_MAX ? { revision: number } : {}),
    ...(typeof to === 'string' ? { to } : {})
  }
}

/** Accepts one candidate, or an array of candidates, instead of an object with `candidates`. `null` is the end of candidates. */
export const acceptBareCandidates: preValidationHookHandler = (request, _reply, done) => {
  request.body = asCandidatesRequest(request.body)
  done()
}

function asCandidatesRequest(body: unknown): unknown {
  if (Array.isArray(body)) return body.length > 0 ? { candidates: body } : body
  if (typeof body === 'string' || body === null) return { candidates: [body] }
  if (typeof body !== 'object' || !Object.hasOwn(body, 'candidate')) return body
  const { to, end, ...candidate } = body as { readonly to?: unknown; readonly end?: unknown }
  return { ...(to === undefined ? {} : { to }), ...(end === undefined ? {} : { end }), candidates: [candidate] }
}
