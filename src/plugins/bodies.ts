// How JSON bodies are read: as Fastify reads them, and only so deep that nothing that walks one later overflows the stack.
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.js'
import { isDeeperThan, METADATA_MAX_DEPTH } from '../services/metadata-bounds.js'

/** Metadata is a member of the body, and nothing else in a body nests as deep. */
const BODY_MAX_DEPTH = METADATA_MAX_DEPTH + 1

export function readBodies(app: FastifyInstance): void {
  // Fastify would read text/plain as a string, which no route takes.
  app.removeContentTypeParser('text/plain')
  // A member named __proto__ or a constructor with a prototype is refused.
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text: string, done) => {
    // JSON.parse itself does not recurse.
    parse(request, text, (error, body) => {
      if (error === null && isDeeperThan(body, BODY_MAX_DEPTH)) done(tooDeep())
      else done(error, body)
    })
  })
}

const tooDeep = () => new AppError('too_large', { detail: `The body nests deeper than ${BODY_MAX_DEPTH} levels` })
