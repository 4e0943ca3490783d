// Everything about a setting is one row here: the type of Config, the defaults, .env.example and docs/reference/settings.md come from it.
import {
  addressRange,
  duration,
  flag,
  iceUrl,
  integer,
  list,
  longSecret,
  oneOf,
  optional,
  origin,
  redisUrl,
  secret,
  secrets,
  setting,
  text,
  webUrl
} from './setting.js'

export const SETTINGS = {
  HOST: setting(
    text,
    '127.0.0.1',
    'Address to listen on. Without `JWT_SECRET` or `JWKS_URL` it must be a loopback address.'
  ),
  PORT: setting(integer(0, 65_535), '8080', 'Port to listen on; 0 takes a free one.'),
  ADMIN_PORT: setting(
    optional(integer(0, 65_535)),
    '',
    'Port of a second listener, for operators: `/metrics` and `/internal` are served there and no longer on `PORT`; 0 takes a free one.'
  ),
  ADMIN_HOST: setting(text, '127.0.0.1', 'Address it listens on. Wider than loopback it needs `ADMIN_SECRET`.'),
  ADMIN_SECRET: secret(
    secrets,
    'Secrets of operators, separated by commas, each at least 32 bytes: `/metrics` then takes one as Bearer.'
  ),
  LOG_LEVEL: setting(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'Least severe level that is logged.'
  ),
  REDIS_URL: secret(
    redisUrl,
    'Redis (7.0 or later) or Valkey (7.2 or later). Without it everything is kept in the memory of this one process.'
  ),
  REDIS_WAIT_REPLICAS: setting(
    integer(0, 16),
    '0',
    'A POST, PUT, PATCH or DELETE is answered 2xx only once this many replicas of each primary have what was written before. With 0 a failover may forget what was answered in the last moment; devices get a reset either way.'
  ),
  TRUST_PROXY: setting(
    list(addressRange),
    '',
    'Addresses or ranges of the proxies whose `X-Forwarded-*` headers count, separated by commas. Without it a client is the address that connects.'
  ),
  REQUEST_TIMEOUT_MS: setting(
    duration(100),
    '30000',
    'How long a request may take to arrive, and a reply to be read; then the connection is closed. Streams and waiting polls have no such limit.'
  ),
  MAX_CONNECTIONS: setting(integer(1, 1_000_000), '50000', 'Connections open at once on this node; more are refused.'),
  MAX_CONNECTIONS_PER_ADDRESS: setting(
    integer(1, 1_000_000),
    '2000',
    'Of those, from one address (IPv6: one /64). Proxies of `TRUST_PROXY` are not limited.'
  ),
  PUBLIC_URL: setting(
    optional(webUrl),
    '',
    'Where pages reach this server, such as `https://calls.example.com`: the cookie is taken from pages of this origin. Without it, from the scheme and host of the request.'
  ),
  CORS_ORIGINS: setting(list(origin), '', 'Web origins whose pages may use the API, separated by commas.'),

  JWT_SECRET: secret(
    secrets,
    'Shared secrets that verify tokens (HS256), separated by commas, each at least 32 bytes; the first one signs. Excludes `JWKS_URL`.'
  ),
  JWKS_URL: setting(
    optional(webUrl),
    '',
    'Key set that tokens are verified with (RS256, ES256, EdDSA). Excludes `JWT_SECRET`.'
  ),
  JWT_ISSUER: setting(optional(text), '', 'When set, a token must carry this `iss`.'),
  JWT_AUDIENCE: setting(
    optional(text),
    '',
    'When set, a token must carry this `aud`. Set it with `JWKS_URL`: without it a token for any other application is accepted.'
  ),
  JWT_LEEWAY_MS: setting(
    integer(0, 600_000),
    '30000',
    'How far the clock of the token issuer may differ: a token is accepted this much before its `nbf` and after its `exp`.'
  ),

  RING_TIMEOUT_MS: setting(duration(1), '30000', 'How long a call rings before it ends `no_answer`.'),
  CONNECT_TIMEOUT_MS: setting(duration(1), '30000', 'How long an accepted call may take to connect.'),
  AWAY_AFTER_MS: setting(duration(1), '5000', 'A device that is gone for this long makes `call.peer_away`.'),
  GRACE_MS: setting(duration(1), '30000', 'A device that is gone for this long ends its call `lost`.'),
  MAX_CALLS_PER_USER: setting(integer(1, 1000), '1', 'Outgoing and answered calls a user may be in at once.'),
  MAX_RINGING_PER_USER: setting(integer(1, 1000), '4', 'Calls of unknown callers that may ring for a user at once.'),
  CALL_WAITING: setting(
    flag,
    'false',
    'Whether calls ring for a user who is in as many calls as `MAX_CALLS_PER_USER` allows; else the caller gets `callee_busy`.'
  ),
  OFFLINE_CALLS: setting(
    oneOf('reject', 'ring'),
    'reject',
    'What to do with a call to a user without a reachable device: `reject` it, or `ring` until one comes.'
  ),
  ON_GLARE: setting(
    oneOf('merge', 'reject'),
    'merge',
    'When two users call each other at once: `merge` both into one call, or `reject` the second.'
  ),

  RETENTION_MS: setting(duration(1000), '600000', "A device's mailbox is kept for this long after its last keepalive."),
  MAX_DEVICES_PER_USER: setting(
    integer(1, 1000),
    '32',
    'Devices a user may have; one that signs off, or is gone for `RETENTION_MS`, makes room.'
  ),
  MAX_WATCHERS_PER_USER: setting(
    integer(1, 1_000_000),
    '100000',
    'Devices that may watch the presence of one user; each change is sent to all of them.'
  ),
  MAILBOX_MAX_EVENTS: setting(integer(10, 100_000), '1000', 'Events kept for a device; older ones are evicted.'),
  MAILBOX_MAX_BYTES: setting(
    integer(65_536, 1_073_741_824),
    '2097152',
    'Bytes kept for a device; older events are evicted. An event that is larger is kept while it is the newest.'
  ),
  HEARTBEAT_MS: setting(duration(100), '15000', 'Interval of the `heartbeat` event on a stream.'),
  PRESENCE_TTL_MS: setting(
    duration(200),
    '30000',
    'A device counts as online for this long after its last keepalive. An open stream sends one every third of it; without a stream, send `PUT /v1/presence`.'
  ),
  PRESENCE_VISIBILITY: setting(
    oneOf('shared', 'policy', 'everyone'),
    'shared',
    "Who may see a user's presence: those who share a room or an answered call (`shared`), those the policy service allows (`policy`), or `everyone`."
  ),
  PRESENCE_DEBOUNCE_MS: setting(
    duration(0),
    '2000',
    'Watchers learn that a user is away or busy once it has lasted this long, and that a user is back at once.'
  ),

  RATE_LIMIT_CALLS: setting(integer(1, 1_000_000), '60', 'Calls a user may create in a minute.'),
  RATE_LIMIT_CALLS_PER_PAIR: setting(integer(1, 1_000_000), '5', 'Times a user may ring one other user in a minute.'),
  RATE_LIMIT_CALLS_PER_CALLEE: setting(
    integer(1, 1_000_000),
    '30',
    'Times unknown callers may ring a user in a minute.'
  ),
  CALL_BACKOFF_MS: setting(
    duration(0),
    '5000',
    'After a decline or no answer the caller waits this long, twice as long each time, at most 5 minutes; 0 is no wait.'
  ),
  RATE_LIMIT_SIGNALS: setting(integer(1, 1_000_000), '100', 'Signals and call actions a user may send in a second.'),
  RATE_LIMIT_READS: setting(integer(1, 1_000_000), '50', 'Reads a user may make in a second.'),
  RATE_LIMIT_DELIVERIES: setting(
    integer(1, 1_000_000_000),
    '30000',
    'Events that a user may have rooms deliver in 10 seconds: each recipient counts once for every KiB begun. Three messages a second in a room of 1,000.'
  ),
  RATE_LIMIT_PRESENCE: setting(
    integer(1, 1_000_000_000),
    '1000',
    'Users whose presence a user may look up or watch in 10 seconds, each as often as it is named.'
  ),
  RATE_LIMIT_ADDRESS: setting(
    integer(1, 1_000_000),
    '300',
    'Requests without a valid token that one address (IPv6: one /64) may make in ten seconds at one node; after them, tokens that are new to the node wait too. `/healthz` and `/readyz` are free.'
  ),

  RATE_LIMIT_ROOMS: setting(integer(1, 1_000_000), '100', 'Rooms a user may make in an hour.'),
  RATE_LIMIT_LOOKUPS: setting(
    integer(1, 1_000_000),
    '60',
    'Rooms that `ROOM_SERVICE_URL` is asked for on behalf of a user in a minute, and requests for rooms that do not let them in.'
  ),

  ROOM_MAX_PARTICIPANTS: setting(integer(1, 10_000), '1000', 'Devices in a room at once, unless the room says fewer.'),
  MAX_ROOMS_PER_DEVICE: setting(integer(1, 1000), '32', 'Rooms a device may be in at once.'),
  ROOM_RECONNECT_MS: setting(duration(1), '5000', 'How long a device whose stream broke stays in its rooms.'),
  ROOM_LINGER_MS: setting(duration(1), '30000', 'How long a room outlives the last one out.'),
  ROOM_MAX_INVITATIONS: setting(
    integer(1, 10_000),
    '500',
    'Invitations that may ring in a room at once; at most as many that have ended are kept beside them.'
  ),
  ROOM_MAX_INVITATIONS_PER_USER: setting(integer(1, 10_000), '100', 'Those of one inviter.'),
  CHAT_HISTORY_MAX: setting(integer(1, 100_000), '1000', 'Chat messages kept for a room; older ones go.'),
  CHAT_SERVICE_URL: setting(optional(webUrl), '', 'Service that is given every chat message.'),
  CHAT_SERVICE_TIMEOUT_MS: setting(duration(1), '5000', 'How long it may take to answer.'),
  CHAT_SERVICE_RETRY_MAX_MS: setting(
    duration(500),
    '30000',
    'Longest pause before it is asked again; the first is half a second, and each is twice the one before.'
  ),
  CHAT_DEAD_LETTERS_MAX: setting(integer(1, 100_000), '1000', 'Messages kept for operators that it will never get.'),

  STUN_URLS: setting(
    list(iceUrl('stun', 'stuns')),
    '',
    'STUN servers handed to clients, `stun:host:port`, separated by commas.'
  ),
  TURN_URLS: setting(
    list(iceUrl('turn', 'turns')),
    '',
    'TURN servers handed to clients, `turn:host:port?transport=udp`, separated by commas.'
  ),
  TURN_SECRETS: secret(
    secrets,
    'Secrets shared with the TURN servers, separated by commas, each at least 32 bytes; the first one signs.'
  ),
  TURN_TTL_MS: setting(duration(60_000), '3600000', 'How long a TURN credential is good for.'),

  POLICY_URL: setting(optional(webUrl), '', 'Service that is asked before a call or an invitation rings.'),
  POLICY_TIMEOUT_MS: setting(duration(1), '2000', 'How long to wait for its answer.'),
  POLICY_ON_ERROR: setting(
    oneOf('deny', 'allow'),
    'deny',
    'What to do with the call or the invitation when it does not answer.'
  ),

  ROOM_SERVICE_URL: setting(
    optional(webUrl),
    '',
    'Service that knows the rooms and who may do what in them. With it, joining makes no room that the service does not know.'
  ),
  ROOM_SERVICE_TIMEOUT_MS: setting(duration(1), '2000', 'How long to wait for its answer.'),
  ROOM_SERVICE_SECRET: secret(
    optional(longSecret),
    'Secret shared with it, at least 32 bytes: goes out as Bearer, and lets it push or drop a room here.'
  ),

  DRAIN_SETTLE_MS: setting(duration(0), '2000', 'After SIGTERM: how long to serve on while load balancers look away.'),
  DRAIN_WINDOW_MS: setting(duration(0), '5000', 'After that: the window over which open streams are sent `reconnect`.')
}
