// Headers for browsers: security, and CORS (Fetch standard, section 3.3) for the origins whose pages may use the API.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.js'
import { originMatcher } from './origins.js'

type Headers = Readonly<Record<string, string>>

/** The only security header that matters for JSON and streams. /docs sets its own. */
const SECURITY: Headers = { 'x-content-type-options': 'nosniff' }
/** Headers of a reply that scripts may read. */
const EXPOSED = [
  ...['RateLimit', 'RateLimit-Policy', 'Retry-After', 'Allow', 'WWW-Authenticate'],
  // Of WHIP and WHEP.
  ...['Location', 'ETag', 'Link', 'Accept-Post', 'Accept-Patch']
].join(', ')
const METHODS = 'GET, POST, PUT, PATCH, DELETE'
/** Two hours, the maximum in Chromium. */
const PREFLIGHT_SECONDS = '7200'

export type BrowserHeaders = (origin: string | undefined) => Headers

/** Returns the headers of every reply to a request with this `Origin`. */
export function createBrowserHeaders({ corsOrigins }: Pick<Config, 'corsOrigins'>): BrowserHeaders {
  if (corsOrigins.length === 0) return () => SECURITY
  const exposing = { ...SECURITY, 'access-control-expose-headers': EXPOSED }
  if (corsOrigins.includes('*')) {
    const headers = { ...exposing, 'access-control-allow-origin': '*' }
    return () => headers
  }
  const isListed = originMatcher(corsOrigins)
  const unlisted = { ...SECURITY, vary: 'Origin' }
  // The cookie is accepted only from origins that are listed by name.
  const listed = { ...exposing, vary: 'Origin', 'access-control-allow-credentials': 'true' }
  return origin =>
    origin !== undefined && isListed(origin) ? { ...listed, 'access-control-allow-origin': origin } : unlisted
}

/** Comes first: its headers are on every reply, and preflights are answered before anything refuses or counts them. */
export function secure(app: FastifyInstance, config: Pick<Config, 'corsOrigins'>): void {
  const headersOf = createBrowserHeaders(config)
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headersOf(request.headers.origin))
    if (!answerPreflight(request, reply)) done()
  })
}

/** Answers a preflight, with the headers that `reply` has already. Other OPTIONS requests are refused like any method that a path does not have. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): boolean {
  const { method, headers } = request
  if (method !== 'OPTIONS' || !headers.origin || !headers['access-control-request-method']) return false
  if (reply.hasHeader('access-control-allow-origin')) {
    const requested = headers['access-control-request-headers']
    const vary = [reply.getHeader('vary'), 'Access-Control-Request-Headers'].filter(Boolean).join(', ')
    reply.headers({ 'access-control-allow-methods': METHODS, 'access-control-max-age': PREFLIGHT_SECONDS, vary })
    if (requested) reply.header('access-control-allow-headers', requested)
  }
  const { acceptPost } = request.routeOptions.config
  if (acceptPost !== undefined) reply.header('accept-post', acceptPost)
  reply.code(204).send()
  return true
}
