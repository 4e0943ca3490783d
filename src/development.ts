// What makes a first try pleasant: tokens that work without any set-up. The secret below is in everybody's hands, which is why
// a server that trusts it refuses to listen on anything but loopback (config.ts).
import { SignJWT } from 'jose'
import type { Config } from './config.js'

export const DEVELOPMENT_SECRET = 'signpost-development-only-not-a-secret'

type Signing = Pick<Config, 'jwtSecret' | 'jwtIssuer' | 'jwtAudience'>

/** A token that this configuration accepts for twelve hours. There is none to be had when tokens come from a key set. */
export function createToken(
  { jwtSecret, jwtIssuer, jwtAudience }: Signing,
  user: string,
  device?: string,
  rooms?: unknown
): Promise<string> {
  const token = new SignJWT({ ...(device === undefined ? {} : { device }), ...(rooms === undefined ? {} : { rooms }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('12h')
  if (jwtIssuer !== null) token.setIssuer(jwtIssuer)
  if (jwtAudience !== null) token.setAudience(jwtAudience)
  return token.sign(new TextEncoder().encode(jwtSecret[0] ?? DEVELOPMENT_SECRET))
}

/** Three lines to paste into three terminals: bob listens, alice calls, bob accepts. */
export async function welcome(config: Config, url: string, callId: string): Promise<string> {
  const [alice, bob] = await Promise.all([createToken(config, 'alice', 'phone'), createToken(config, 'bob', 'laptop')])
  return `
Signalpost listens on ${url} in development mode: everybody can make tokens for everybody.

  # bob opens his stream
  curl -N -H 'Authorization: Bearer ${bob}' ${url}/v1/events

  # alice calls bob
  curl -H 'Authorization: Bearer ${alice}' -H 'Content-Type: application/json' -d '{"callId":"${callId}","to":"bob"}' ${url}/v1/calls

  # bob accepts
  curl -X POST -H 'Authorization: Bearer ${bob}' ${url}/v1/calls/${callId}/accept

More tokens: npm run --silent token -- carol · API: ${url}/docs
`
}
