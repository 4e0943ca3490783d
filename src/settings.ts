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
  PORT: setting(integer(0, 65_535), '8080', 'Port to listen on. 0 picks a free one.'),
  ADMIN_PORT: setting(
    optional(integer(0, 65_535)),
    '',
    'Port of a second listener for operators. `/metrics` and `/internal` are then served there and not on `PORT`. 0 picks a free one.'
  ),
  ADMIN_HOST: setting(
    text,
    '127.0.0.1',
    'Address of the second listener. Anything but a loopback address requires `ADMIN_SECRET`.'
  ),
  ADMIN_SECRET: secret(
    secrets,
    'Secrets of operators, separated by commas, each at least 32 bytes. `/metrics` then requires one of them as Bearer.'
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
  PUBLIC_URL: setting(
    optional(webUrl),
    '',
    'URL at which pages reach this server, such as `https://calls.example.com`. The cookie is accepted from pages of this origin. Without it, the origin is the scheme and host of the request.'
  ),
  CORS_ORIGINS: setting(
    list(origin),
    '',
    'Web origins whose pages may use the API, separated by commas. `*` allows all of them, without the cookie.'
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
  JWT_LEEWAY_MS: setting(
    integer(0, 600_000),
    '30000',
    'Allowed difference to the clock of the token issuer. A token is accepted this long before its `nbf` and after its `exp`.'
  ),

  RING_TIMEOUT_MS: setting(duration(1), '30000', 'How long a call rings before it ends with `no_answer`.'),
  CONNECT_TIMEOUT_MS: setting(
    duration(1),
    '30000',
    'How long an accepted call may take to connect before it ends with `expired`.'
  ),
  AWAY_AFTER_MS: setting(
    duration(1),
    '5000',
    'How long a device in a call is gone before the other side receives `call.peer_away`.'
  ),
  GRACE_MS: setting(duration(1), '30000', 'How long a device in a call is gone before the call ends with `lost`.'),
  MAX_CALLS_PER_USER: setting(
    integer(1, 1000),
    '1',
    'Calls a user may be in at once, counting those they made and those they answered.'
  ),
  MAX_RINGING_PER_USER: setting(integer(1, 1000), '4', 'Calls from unknown callers that may ring for a user at once.'),
  CALL_WAITING: setting(
    flag,
    'false',
    'Whether calls ring for a user who is already in `MAX_CALLS_PER_USER` calls. If not, the caller gets `callee_busy`.'
  ),
  OFFLINE_CALLS: setting(
    oneOf('reject', 'ring'),
    'reject',
    'What happens to a call to a user without a registered device: `reject` refuses it, `ring` waits for a device.'
  ),
  ON_GLARE: setting(
    oneOf('merge', 'reject'),
    'merge',
    'When two users call each other at once: `merge` makes one call of both, `reject` refuses the second.'
  ),

  RETENTION_MS: setting(
    duration(1000),
    '600000',
    "How long a device's mailbox is kept after the device's last keepalive."
  ),
  MAX_DEVICES_PER_USER: setting(
    integer(1, 1000),
    '32',
    'Devices a user may have. A device that signs off, or is gone for `RETENTION_MS`, makes room for another.'
  ),
  MAX_WATCHERS_PER_USER: setting(
    integer(1, 1_000_000),
    '100000',
    'Devices that may watch the presence of one user. Each change is sent to all of them.'
  ),
  MAILBOX_MAX_EVENTS: setting(integer(10, 100_000), '1000', 'Events kept in a mailbox. Older ones are evicted.'),
  MAILBOX_MAX_BYTES: setting(
    integer(65_536, 1_073_741_824),
    '2097152',
    'Bytes kept in a mailbox. Older events are evicted. An event larger than this is kept while it is the newest.'
  ),
  HEARTBEAT_MS: setting(duration(100), '15000', 'Interval of the `heartbeat` event on a stream.'),
  PRESENCE_TTL_MS: setting(
    duration(200),
    '30000',
    'How long a device counts as online after its last keepalive. An open stream renews it every third of this time. Without a stream, send `PUT /v1/presence`.'
  ),
  PRESENCE_VISIBILITY: setting(
    oneOf('shared', 'policy', 'everyone'),
    'shared',
    "Who may see a user's presence: users who share a room or an answered call (`shared`), users whom the policy service allows (`policy`), or `everyone`."
  ),
  PRESENCE_DEBOUNCE_MS: setting(
    duration(0),
    '2000',
    'How long a user must be away, busy or offline before watchers are notified. Coming back is sent at once.'
  ),

  RATE_LIMIT_CALLS: setting(integer(1, 1_000_000), '60', 'Calls a user may create in a minute.'),
  RATE_LIMIT_CALLS_PER_PAIR: setting(
    integer(1, 1_000_000),
    '5',
    'Attempts of a user to ring one other user in a minute.'
  ),
  RATE_LIMIT_CALLS_PER_CALLEE: setting(
    integer(1, 1_000_000),
    '30',
    'Attempts of all unknown callers together to ring a user in a minute.'
  ),
  CALL_BACKOFF_MS: setting(
    duration(0),
    '5000',
    'Back-off of a caller after a declined or unanswered call. It doubles each time, up to 5 minutes. 0 turns it off.'
  ),
  RATE_LIMIT_SIGNALS: setting(integer(1, 1_000_000), '100', 'Signals and call actions a user may send in a second.'),
  RATE_LIMIT_READS: setting(integer(1, 1_000_000), '50', 'Reads a user may make in a second.'),
  RATE_LIMIT_DELIVERIES: setting(
    integer(1, 1_000_000_000),
    '30000',
    'Events that rooms deliver on behalf of a user in 10 seconds. Each recipient counts once for every KiB begun. The default allows three messages a second in a room of 1,000.'
  ),
  RATE_LIMIT_PRESENCE: setting(
    integer(1, 1_000_000_000),
    '1000',
    'Users whose presence a user may look up or watch in 10 seconds, counted as often as they are named.'
  ),
  RATE_LIMIT_ADDRESS: setting(
    integer(1, 1_000_000),
    '300',
    'Requests without a valid token that one address (IPv6: one /64) may make to one node in 10 seconds. After that, tokens that are new to the node are refused too. `/healthz` and `/readyz` are exempt.'
  ),

  RATE_LIMIT_ROOMS: setting(integer(1, 1_000_000), '100', 'Rooms a user may create in an hour.'),
  RATE_LIMIT_LOOKUPS: setting(
    integer(1, 1_000_000),
    '60',
    'Rooms that the room service is asked for on behalf of a user in a minute, plus requests for rooms that do not let the user in.'
  ),

  ROOM_MAX_PARTICIPANTS: setting(
    integer(1, 10_000),
    '1000',
    "Devices in a room at once, unless the room's `maxParticipants` is lower."
  ),
  MAX_ROOMS_PER_DEVICE: setting(integer(1, 1000), '32', 'Rooms a device may be in at once.'),
  ROOM_RECONNECT_MS: setting(
    duration(1),
    '5000',
    'How long a device whose stream broke stays in its rooms before it leaves as `lost`.'
  ),
  ROOM_LINGER_MS: setting(duration(1), '30000', 'How long a room stays open after the last device left.'),
  ROOM_MAX_INVITATIONS: setting(
    integer(1, 10_000),
    '500',
    'Invitations that may ring in a room at once. At most as many ended ones are kept in addition.'
  ),
  ROOM_MAX_INVITATIONS_PER_USER: setting(
    integer(1, 10_000),
    '100',
    'Invitations of one inviter that may ring in a room at once.'
  ),
  CHAT_HISTORY_MAX: setting(integer(1, 100_000), '1000', 'Chat messages kept for a room. Older ones are dropped.'),
  CHAT_SERVICE_URL: setting(optional(webUrl), '', 'Chat service that receives every chat message.'),
  CHAT_SERVICE_TIMEOUT_MS: setting(duration(1), '5000', 'Time limit for a reply of the chat service.'),
  CHAT_SERVICE_RETRY_MAX_MS: setting(
    duration(500),
    '30000',
    'Exponential back-off from 500 ms after a failure of the chat service, capped here.'
  ),
  CHAT_DEAD_LETTERS_MAX: setting(
    integer(1, 100_000),
    '1000',
    'Dead letters kept for operators: messages that the chat service will never receive.'
  ),

  STUN_URLS: setting(
    list(iceUrl('stun', 'stuns')),
    '',
    'STUN servers for clients, `stun:host:port`, separated by commas.'
  ),
  TURN_URLS: setting(
    list(iceUrl('turn', 'turns')),
    '',
    'TURN servers for clients, `turn:host:port?transport=udp`, separated by commas.'
  ),
  TURN_SECRETS: secret(
    secrets,
    'Secrets shared with the TURN servers, separated by commas, each at least 32 bytes. The first one signs.'
  ),
  TURN_TTL_MS: setting(duration(60_000), '3600000', 'How long a TURN credential is valid.'),

  POLICY_URL: setting(optional(webUrl), '', 'Policy service that is asked before a call or an invitation rings.'),
  POLICY_TIMEOUT_MS: setting(duration(1), '2000', 'Time limit for a reply of the policy service.'),
  POLICY_ON_ERROR: setting(
    oneOf('deny', 'allow'),
    'deny',
    'What happens to a call or an invitation when the policy service does not answer: `deny` refuses it, `allow` lets it ring.'
  ),

  ROOM_SERVICE_URL: setting(
    optional(webUrl),
    '',
    'Room service that knows the rooms and who may do what in them. With it, only rooms that the service knows can be created.'
  ),
  ROOM_SERVICE_TIMEOUT_MS: setting(duration(1), '2000', 'Time limit for a reply of the room service.'),
  ROOM_SERVICE_SECRET: secret(
    optional(longSecret),
    'Secret shared with the room service, at least 32 bytes. Signalpost sends it as Bearer, and the service shows it to push or drop a room.'
  ),

  DRAIN_SETTLE_MS: setting(
    duration(0),
    '2000',
    'After SIGTERM, how long the node serves on while load balancers take it out.'
  ),
  DRAIN_WINDOW_MS: setting(
    duration(0),
    '5000',
    'After `DRAIN_SETTLE_MS`, the window over which open streams receive `reconnect`.'
  )
}
