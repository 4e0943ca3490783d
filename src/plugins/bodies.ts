// Parses JSON bodies with Fastify's parser, and refuses deep nesting: it would overflow the stack of recursive functions later.
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.js'
import { isDeeperThan, METADATA_MAX_DEPTH } from '../services/metadata-bounds.js'

/** Metadata is a member of the body, and no other member nests as deep. */
const BODY_MAX_DEPTH = METADATA_MAX_DEPTH + 1

export function readBodies(app: FastifyInstance): void {
  // Fastify parses text/plain as a string by default, which no route accepts.
  app.removeContentTypeParser('text/plain')
  // Refuses a member `__proto__`, and a `constructor` with a `prototype`.
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
