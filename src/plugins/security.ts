// What browsers are told about us: the headers that secure them, and which origins' pages may use the API.
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'

/** What a page needs to see of a reply besides its body. */
const EXPOSED = ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'Allow', 'WWW-Authenticate']
/** Browsers cap it at two hours (Chromium) anyway. */
const PREFLIGHT_SECONDS = 7200

/**
 * What means something for JSON and streams, and no more: each of these goes out with every reply, which is why they are a
 * constant and not worked out by a library each time. /docs brings its own policy of content.
 */
const HEADERS = {
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN'
}

export async function secure(app: FastifyInstance, { corsOrigins }: Pick<Config, 'corsOrigins'>): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS)
    done()
  })
  if (corsOrigins.length === 0) return
  const anybody = corsOrigins.includes('*')
  await app.register(cors, {
    origin: anybody ? '*' : [...corsOrigins],
    // Cookies go only to pages that were named.
    credentials: !anybody,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS
  })
}
