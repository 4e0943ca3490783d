// Development mode: without JWT_SECRET and JWKS_URL, the secret below signs and verifies tokens. It is public, so a server in this mode
// listens on loopback only (config.ts).
import { SignJWT } from 'jose'
import type { Config } from './config.js'

export const DEVELOPMENT_SECRET = 'signalpost-development-only-not-a-secret'

type Signing = Pick<Config, 'jwtSecret' | 'jwtIssuer' | 'jwtAudience' | 'jwtUserClaim' | 'jwtDeviceClaim'>

interface TokenClaims {
  readonly user: string
  readonly device?: string | undefined
  /** The claim `rooms`. */
  readonly rooms?: unknown
}

/** Signs a token that is valid for twelve hours on a server with this configuration. With JWKS_URL no such token can be signed. */
export function createToken(
  { jwtSecret, jwtIssuer, jwtAudience, jwtUserClaim, jwtDeviceClaim }: Signing,
  { user, device, rooms }: TokenClaims
): Promise<string> {
  // The claim of exactly this name: it comes before a path of names.
  const claims = { [jwtDeviceClaim]: device, [jwtUserClaim]: user, rooms }
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('12h')
  if (jwtIssuer !== null) token.setIssuer(jwtIssuer)
  if (jwtAudience !== null) token.setAudience(jwtAudience)
  return token.sign(new TextEncoder().encode(jwtSecret[0] ?? DEVELOPMENT_SECRET))
}

/** Of `npm run media-service` without settings. */
const MEDIA_SERVICE_URL = 'http://127.0.0.1:4443'
const MEDIA_SERVICE_WITHIN_MS = 3000

type Environment = Readonly<Record<string, string | undefined>>

/** Resolves to the environment, in development mode with the media service of this machine, if one runs and is not configured otherwise. */
export async function withMediaService(env: Environment, url = MEDIA_SERVICE_URL): Promise<Environment> {
  const isSet = (name: string) => Boolean(env[name]?.trim())
  if (['JWT_SECRET', 'JWKS_URL', 'MEDIA_SERVICE_URLS', 'MEDIA_SERVICE_SECRET'].some(isSet)) return env
  const options = {
    headers: { authorization: `Bearer ${DEVELOPMENT_SECRET}` },
    signal: AbortSignal.timeout(MEDIA_SERVICE_WITHIN_MS)
  }
  const isThere = await fetch(`${url}/health`, options).then(
    ({ ok }) => ok,
    () => false
  )
  if (!isThere) return env
  return { ...env, MEDIA_SERVICE_URLS: url, MEDIA_SERVICE_SECRET: DEVELOPMENT_SECRET }
}

/** A first call, as commands for three terminals, and the link to the playground. The tokens are like those of `npm run token -- alice`. */
export async function welcome(config: Config, url: string, hasPlayground: boolean): Promise<string> {
  const [alice, bob] = await Promise.all([createToken(config, { user: 'alice' }), createToken(config, { user: 'bob' })])
  return `
Signalpost listens on ${url} in development mode: anyone can make a token for any user.

  # alice and bob open their streams, each in a terminal
  curl -N -H 'Authorization: Bearer ${alice}' ${url}/v1/events
  curl -N -H 'Authorization: Bearer ${bob}' ${url}/v1/events

  # in a third one, alice calls bob, bob accepts, alice hangs up
  CALL=call-$RANDOM$RANDOM
  curl -H 'Authorization: Bearer ${alice}' -H 'Content-Type: application/json' -d '{"callId":"'$CALL'","to":"bob"}' ${url}/v1/calls
  curl -X POST -H 'Authorization: Bearer ${bob}' ${url}/v1/calls/$CALL/accept
  curl -X POST -H 'Authorization: Bearer ${alice}' ${url}/v1/calls/$CALL/hangup

More tokens: npm run --silent token -- carol · API: ${url}/docs
${config.mediaServiceUrls.length > 0 ? `Rooms in mode sfu: by ${config.mediaServiceUrls.join(', ')}\n` : ''}${hasPlayground ? `\nMake a call in the browser: ${url}/\n` : ''}`
}
