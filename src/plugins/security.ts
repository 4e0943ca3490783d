// What browsers are told about us: the headers that secure them, and which origins' pages may use the API.
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'

/** What a page needs to see of a reply besides its body. */
const EXPOSED = ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'Allow', 'WWW-Authenticate']
/** Browsers cap it at two hours (Chromium) anyway. */
const PREFLIGHT_SECONDS = 7200

export async function secure(app: FastifyInstance, { corsOrigins }: Pick<Config, 'corsOrigins'>): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    // The one that means something for JSON and streams; what is there for people to read brings its own.
    reply.header('x-content-type-options', 'nosniff')
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
