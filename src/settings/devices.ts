// Devices without an identity provider: the keys of the server, and the credentials of devices.
import { duration, integer, secret, setting, signingSeeds } from '../setting.js'

export const DEVICE_SETTINGS = {
  SIGNING_KEYS: secret(
    signingSeeds,
    'Ed25519 keys that sign the tokens of devices, as `npm run --silent signing-key` prints them, separated by commas. The first one signs, all of them verify; `/.well-known/jwks.json` publishes the public keys. Without it, devices have no credentials here; development mode has a key of its own.'
  ),
  DEVICE_TOKEN_TTL_MS: setting(
    duration(60_000),
    '3600000',
    'How long the token of a device is valid. Its stream says `auth.expiring` 30 s before.'
  ),
  MAX_DEVICE_CREDENTIALS: setting(
    integer(256, 100_000_000),
    '100000',
    'Device credentials that are kept. Users are spread over 256 parts of the store, and each part keeps a 256th: one may be full while others are not, with less than 10,000 long before there are as many credentials. The devices of one user are in one part.'
  )
}
