// Headers for browsers: security, and CORS for the origins whose pages may use the API.
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'

/** Headers of a reply that scripts may read. */
const EXPOSED = ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'Allow', 'WWW-Authenticate']
/** Two hours, the maximum in Chromium. */
const PREFLIGHT_SECONDS = 7200

export async function secure(app: FastifyInstance, { corsOrigins }: Pick<Config, 'corsOrigins'>): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    // The only security header that matters for JSON and streams. /docs sets its own.
    reply.header('x-content-type-options', 'nosniff')
    done()
  })
  if (corsOrigins.length === 0) return
  const allowsAll = corsOrigins.includes('*')
  await app.register(cors, {
    origin: allowsAll ? '*' : [...corsOrigins],
    // The cookie is accepted only from origins that are listed by name.
    credentials: !allowsAll,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS
  })
}
