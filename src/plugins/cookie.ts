// The token in a cookie. A browser sends cookies with the requests of any page, even those of an <img>. So the cookie is accepted only in
// requests of pages of this server, or of the origins in CORS_ORIGINS. This includes GET, because polls and streams have effects.
import { parse } from 'cookie'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'

const NAME = 'access_token'

export interface CookieOrigins extends Pick<Config, 'publicUrl'> {
  /** In CORS_ORIGINS. */
  isListed(origin: string): boolean
}

/** @throws AppError unauthorized for a cookie in a request of a page of another origin */
export function cookieToken(request: FastifyRequest, origins: CookieOrigins): string | undefined {
  const { cookie } = request.headers
  const token = cookie === undefined ? undefined : parse(cookie)[NAME]
  if (token === undefined || isOwnPage(request, origins)) return token
  const detail =
    'The cookie is accepted only with `Origin` of this server (PUBLIC_URL) or of CORS_ORIGINS, or with `Sec-Fetch-Site: same-origin`'
  throw new AppError('unauthorized', { detail })
}

/** Scripts cannot set either header. A GET to the page's own origin has no `Origin`; a request without TLS has no `Sec-Fetch-Site`. */
function isOwnPage(request: FastifyRequest, { isListed, publicUrl }: CookieOrigins): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin === undefined) return site === 'same-origin'
  if (isListed(origin)) return true
  const ownUrl = publicUrl ?? `${request.protocol}://${request.host}`
  return URL.canParse(ownUrl) && new URL(ownUrl).origin === origin
}
