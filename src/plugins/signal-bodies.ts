// Bodies of signals that are platform objects, such as `JSON.stringify(event.candidate)`, or raw SDP.
import type { FastifyInstance, preValidationHookHandler } from 'fastify'
import { AppError } from '../errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may be a session description, of the type application/sdp. */
    acceptsSdp?: boolean
  }
}

/** RFC 8866, section 8.1. */
export function readSdpBodies(app: FastifyInstance): void {
  app.addContentTypeParser('application/sdp', { parseAs: 'string' }, (request, sdp: string, done) => {
    if (request.routeOptions.config.acceptsSdp) done(null, { sdp })
    else done(new AppError('unsupported_media_type'))
  })
}

/** The members `revision` and `to` of a description may be in the query: a body of application/sdp cannot have them. */
export const acceptMembersInQuery: preValidationHookHandler = (request, _reply, done) => {
  const { body, query } = request as { body: unknown; query: Readonly<Record<string, unknown>> }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) request.body = { ...membersIn(query), ...body }
  done()
}

/** The schema of the query refuses a revision that is not a number. */
function membersIn({ revision, to }: Readonly<Record<string, unknown>>): object {
  return {
    ...(typeof revision === 'string' && /^\d{1,7}$/.test(revision) ? { revision: Number(revision) } : {}),
    ...(typeof to === 'string' ? { to } : {})
  }
}

/** Accepts one candidate, or an array of candidates, instead of an object with `candidates`. */
export const acceptBareCandidates: preValidationHookHandler = (request, _reply, done) => {
  request.body = asCandidatesRequest(request.body)
  done()
}

function asCandidatesRequest(body: unknown): unknown {
  if (Array.isArray(body)) return body.length > 0 ? { candidates: body } : body
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'candidate')) return body
  const { to, end, ...candidate } = body as { readonly to?: unknown; readonly end?: unknown }
  return { ...(to === undefined ? {} : { to }), ...(end === undefined ? {} : { end }), candidates: [candidate] }
}
