// The token as a cookie. Browsers send cookies along with what any page asks for, an <img> included; so the cookie is taken only
// from requests of our own pages, or of the origins in CORS_ORIGINS. With every method: polls and streams are GETs that act.
import { parse } from 'cookie'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'

const NAME = 'access_token'

type Origins = Pick<Config, 'corsOrigins' | 'publicUrl'>

/** @throws AppError unauthorized for a cookie that a page of another site made the browser send */
export function cookieToken(request: FastifyRequest, origins: Origins): string | undefined {
  const { cookie } = request.headers
  const token = cookie === undefined ? undefined : parse(cookie)[NAME]
  if (token === undefined || isOwn(request, origins)) return token
  const detail =
    'The cookie is taken only with `Origin` of this server (PUBLIC_URL) or of CORS_ORIGINS, or with `Sec-Fetch-Site: same-origin`'
  throw new AppError('unauthorized', { detail })
}

/** Pages cannot set either header. `Origin` is missing in a GET to the page's own origin; `Sec-Fetch-Site`, without TLS. */
function isOwn(request: FastifyRequest, { corsOrigins, publicUrl }: Origins): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin === undefined) return site === 'same-origin'
  if (origin !== '*' && corsOrigins.includes(origin)) return true
  const ownUrl = publicUrl ?? `${request.protocol}://${request.host}`
  return URL.canParse(ownUrl) && new URL(ownUrl).origin === origin
}
