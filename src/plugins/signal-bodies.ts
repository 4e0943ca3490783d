// Bodies that are platform objects and not our requests: `JSON.stringify(event.candidate)` is a request too.
import type { preValidationHookHandler } from 'fastify'

/** One candidate, and a list of them, in place of an object with `candidates`. */
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
