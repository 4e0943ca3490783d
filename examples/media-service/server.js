// The HTTP server: the secret, the forms of the bodies, and the errors.
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Fastify, { LogController } from 'fastify'
import { MediaError, replyFor } from './errors.js'
import { addRoutes } from './routes.js'

const BODY_BYTES_MAX = 262_144
const ID_BYTES_MAX = 255
const UNAUTHORIZED_LOG_MS = 60_000
/** The schemas of openapi/media-service.yaml. */
const SCHEMAS = JSON.parse(readFileSync(new URL('schemas.json', import.meta.url), 'utf8'))

/** @param {import('./settings.js').Settings} settings @param service `sessions`, `workers` and `instance` */
export function buildServer(settings, { log, ...service }) {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: 3 * ID_BYTES_MAX },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allowUnionTypes: true } }
  })
  for (const schema of SCHEMAS) app.addSchema(schema)
  app.addHook('onRequest', requireSecret(settings.secret, log))
  app.addHook('preValidation', requireIds)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ code: 'not_found', detail: 'No such path' }))
  addRoutes(app, service)
  return app
}

function requireSecret(secret, log) {
  const digest = text => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${secret}`)
  let loggedAt = Number.NEGATIVE_INFINITY
  return async ({ headers, ip }) => {
    // Takes the same time for any guess, so that it does not show how much of the guess is right.
    if (timingSafeEqual(digest(headers.authorization ?? ''), expected)) return
    if (performance.now() - loggedAt > UNAUTHORIZED_LOG_MS) {
      loggedAt = performance.now()
      log.warn({ ip }, 'refused a request: MEDIA_SERVICE_SECRET must be the same here and in Signalpost')
    }
    throw new MediaError('unauthorized', 'The secret is missing or wrong')
  }
}

async function requireIds({ params }) {
  for (const id of Object.values(params ?? {}))
    if (
      id === '' ||
      Buffer.byteLength(id) > ID_BYTES_MAX ||
      /[\x00-\x1f\x7f-\x9f]/.test(id) ||
      id === '.' ||
      id === '..'
    )
      throw new MediaError('invalid_parameters', 'An id in the path is empty, too long, or has control characters')
}

function answerError(error, request, reply) {
  const known = asMediaError(error)
  if (known.code === 'internal') request.log.error({ err: error }, 'request failed')
  const { status, body } = replyFor(known)
  return reply.code(status).send(body)
}

function asMediaError(error) {
  if (error instanceof MediaError) return error
  // What Fastify refuses: a body that is no JSON, too long, or not of the form of the schema.
  if (error.statusCode >= 400 && error.statusCode < 500) return new MediaError('invalid_parameters', error.message)
  return new MediaError('internal', 'The service failed')
}
