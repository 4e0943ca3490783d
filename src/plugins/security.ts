// What browsers are told about us: helmet's headers, and which origins' pages may use the API.
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'

/** What a page needs to see of a reply besides its body. */
const EXPOSED = ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'Allow', 'WWW-Authenticate']
/** Browsers cap it at two hours (Chromium) anyway. */
const PREFLIGHT_SECONDS = 7200

/** Only what means something for JSON and streams; each header goes out with every reply. /docs brings its own policy. */
const HEADERS = {
  contentSecurityPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: { policy: 'cross-origin' },
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false
} as const

export async function secure(app: FastifyInstance, { corsOrigins }: Pick<Config, 'corsOrigins'>): Promise<void> {
  await app.register(helmet, HEADERS)
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
