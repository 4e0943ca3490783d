// JSON Web Tokens like those of an identity provider: HS256, valid for an hour.
import { createHmac } from 'node:crypto'

const HEADER = encode({ alg: 'HS256', typ: 'JWT' })
const LIFETIME_SECONDS = 3600

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

export function createToken(secret, claims) {
  const iat = Math.floor(Date.now() / 1000)
  const body = `${HEADER}.${encode({ ...claims, iat, exp: iat + LIFETIME_SECONDS })}`
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}
