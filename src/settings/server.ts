// The node itself: addresses, Redis, network, tokens, shutdown.
import {
  addressRange,
  duration,
  flag,
  integer,
  list,
  oneOf,
  optional,
  origin,
  redisUrl,
  secret,
  secrets,
  setting,
  text,
  webUrl
} from '../setting.js'

export const SERVER_SETTINGS = {
  HOST: setting(
    text,
    '127.0.0.1',
    'Address to listen on. Without `JWT_SECRET` or `JWKS_URL` it must be a loopback address.'
  ),
  PORT: setting(integer(0, 65_535), '8080', 'Port to listen on. 0 picks a free one.'),
  ADMIN_PORT: setting(
    optional(integer(0, 65_535)),
    '',
    'Port of a second listener for operators. `/metrics` and `/internal` are then served there and not on `PORT`. 0 picks a free one.'
  ),
  ADMIN_HOST: setting(
    text,
    '127.0.0.1',
    'Address of the second listener. Anything but a loopback address requires `ADMIN_SECRET` or `ADMIN_ROLE`.'
  ),
  ADMIN_SECRET: secret(
    secrets,
    'Secrets of operators, separated by commas, each at least 32 bytes. `/metrics` then requires one of them as Bearer.'
  ),
  ADMIN_ROLE: setting(
    optional(text),
    '',
    'Role that lets a token of the identity provider use the admin API and read `/metrics` on `ADMIN_PORT`, beside `ADMIN_SECRET` or instead of it. Requires `ADMIN_PORT`, and `JWKS_URL` or `JWT_SECRET`. A token that names a device never has access.'
  ),
  ADMIN_ROLE_CLAIM: setting(
    text,
    'roles',
    'Claim with the role, a string or an array of them: the claim of exactly this name, else the member at this path of names separated by dots, such as `realm_access.roles`.'
  ),
  LOG_LEVEL: setting(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'Lowest severity that is logged.'
  ),
  REDIS_URL: secret(
    redisUrl,
    'Redis (7.0 or later) or Valkey (7.2 or later): `redis://`, `redis-sentinel://` or `redis-cluster://`, with TLS `rediss…`. Without it a single process keeps everything in memory.'
  ),
  REDIS_WAIT_REPLICAS: setting(
    integer(0, 16),
    '0',
    'A POST, PUT, PATCH or DELETE is answered 2xx once this many replicas of each primary have what was written before. With 0, a failover may lose what was answered in the last moment. Affected devices receive a `reset` either way.'
  ),
  TRUST_PROXY: setting(
    list(addressRange),
    '',
    'Addresses or ranges of the proxies whose `X-Forwarded-*` headers are trusted, separated by commas. Without it, the client is the address that connects.'
  ),
  REQUEST_TIMEOUT_MS: setting(
    duration(100),
    '30000',
    'Time limit for a request to arrive, and for a reply to be read. After it the connection is closed. Streams and waiting polls are exempt.'
  ),
  MAX_CONNECTIONS: setting(integer(1, 1_000_000), '50000', 'Open connections of this node. Further ones are refused.'),
  MAX_CONNECTIONS_PER_ADDRESS: setting(
    integer(1, 1_000_000),
    '2000',
    'Open connections from one address (IPv6: one /64). Proxies in `TRUST_PROXY` are exempt.'
  ),
  STREAM_RELEASE_PARSER: setting(
    flag,
    'true',
    'Whether an open stream gives the HTTP parser of its connection back, which saves about 5 KiB of memory. It relies on behaviour that Node does not document; with `false` only documented behaviour is used.'
  ),
  PUBLIC_URL: setting(
    optional(webUrl),
    '',
    'URL at which pages reach this server, such as `https://calls.example.com`. The cookie is accepted from pages of this origin. Without it, the origin is the scheme and host of the request.'
  ),
  CORS_ORIGINS: setting(
    list(origin),
    '',
    'Origins whose pages may use the API, separated by commas: `https://app.example.com`, `https://*.example.com` for all its subdomains, or that of an app, such as `capacitor://localhost`. `*` allows all of them, without the cookie.'
  ),

  PLAYGROUND: setting(
    oneOf('auto', 'on', 'off'),
    'auto',
    'Whether `/` is the playground, a page that makes calls with this server. `auto`: in development mode only, where the page makes its own tokens. With `on` elsewhere, it asks for them.'
  ),

  JWT_SECRET: secret(
    secrets,
    'Shared secrets that verify tokens (HS256), separated by commas, each at least 32 bytes. The first one signs. Not together with `JWKS_URL`.'
  ),
  JWKS_URL: setting(
    optional(webUrl),
    '',
    'URL of the key set that verifies tokens (RS256, ES256, EdDSA). Not together with `JWT_SECRET`.'
  ),
  JWT_ISSUER: setting(optional(text), '', "Required value of a token's `iss`."),
  JWT_AUDIENCE: setting(
    optional(text),
    '',
    "Required value of a token's `aud`. Set it together with `JWKS_URL`: without it, tokens for any other application are accepted."
  ),
  JWT_USER_CLAIM: setting(
    text,
    'sub',
    'Claim of a token that names the user: the claim of exactly this name, else the member at this path of names separated by dots.'
  ),
  JWT_DEVICE_CLAIM: setting(text, 'device', 'Claim of a token that names the device, found in the same way.'),
  REVOCATION_DAYS: setting(
    integer(1, 3_650),
    '365',
    'How long the tokens of a user or device that was signed out stay refused. Not less than your tokens are valid for.'
  ),
  REVOCATIONS_MAX: setting(
    integer(1, 10_000_000),
    '100000',
    'Most revocations: users and devices that were signed out, or whose earlier tokens are refused. Each node keeps all of them in memory, about 400 bytes each. Further ones are refused.'
  ),
  JWT_LEEWAY_MS: setting(
    integer(0, 600_000),
    '30000',
    'Allowed difference to the clock of the token issuer. A token is accepted this long before its `nbf` and after its `exp`, and this long, at least 10 s, before its `iat`.'
  ),

  DRAIN_SETTLE_MS: setting(
    duration(0),
    '2000',
    'How long the node continues to serve after SIGTERM, while load balancers stop sending requests to it.'
  ),
  DRAIN_WINDOW_MS: setting(
    duration(0),
    '5000',
    'After `DRAIN_SETTLE_MS`, the window over which open streams receive `reconnect`.'
  )
}
