// `npm run --silent signing-key` prints a key for SIGNING_KEYS: the 32 random bytes of an Ed25519 private key, base64url.
import { randomBytes } from 'node:crypto'

console.log(randomBytes(32).toString('base64url'))
