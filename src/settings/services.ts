// STUN and TURN, and the services that an operator connects.
import {
  duration,
  encryptionKeys,
  iceUrl,
  list,
  longSecret,
  oneOf,
  optional,
  secret,
  secrets,
  setting,
  webUrl
} from '../setting.js'

export const SERVICE_SETTINGS = {
  STUN_URLS: setting(
    list(iceUrl('stun', 'stuns')),
    '',
    'STUN servers for clients, `stun:host:port`, separated by commas. `#eu` at the end: for clients that ask for the region `eu`.'
  ),
  TURN_URLS: setting(
    list(iceUrl('turn', 'turns')),
    '',
    'TURN servers for clients, `turn:host:port?transport=udp`, `?transport=tcp` or `turns:host:port`, separated by commas. `#eu` as in STUN_URLS.'
  ),
  TURN_SECRETS: secret(
    secrets,
    'Secrets shared with the TURN servers, separated by commas, each at least 32 bytes. The first one signs.'
  ),
  TURN_TTL_MS: setting(duration(60_000), '3600000', 'How long a TURN credential is valid.'),

  ICE_TRANSPORT_POLICY: setting(
    oneOf('all', 'relay'),
    'all',
    'What clients are told to connect by: `relay` is through TURN servers only, which hides their addresses from each other.'
  ),

  POLICY_URL: setting(
    optional(webUrl),
    '',
    'Policy service that is asked before a call or an invitation rings, and before a room is made or joined.'
  ),
  POLICY_SECRET: secret(
    optional(longSecret),
    'Secret shared with the policy service, at least 32 bytes. Signalpost sends it as Bearer.'
  ),
  POLICY_TIMEOUT_MS: setting(duration(1), '500', 'Time limit for a reply of the policy service.'),
  POLICY_ON_ERROR: setting(
    oneOf('deny', 'allow'),
    'deny',
    'What happens when the policy service gives no valid answer in time: `deny` refuses what it was asked about, `allow` allows it.'
  ),

  ROOM_SERVICE_URL: setting(
    optional(webUrl),
    '',
    'Room service that knows the rooms and who may do what in them. With it, only rooms that the service knows can be created.'
  ),
  ROOM_SERVICE_TIMEOUT_MS: setting(duration(1), '2000', 'Time limit for a reply of the room service.'),
  ROOM_SERVICE_SECRET: secret(
    optional(longSecret),
    'Secret shared with the room service, at least 32 bytes. Signalpost sends it as Bearer, and so does the service when it pushes or drops a room.'
  ),

  MEDIA_SERVICE_URLS: setting(
    list(webUrl),
    '',
    'Media services (SFUs) for rooms in mode `sfu`, separated by commas. Each room is on one of them. Empty: rooms are `p2p` only.'
  ),
  MEDIA_SERVICE_SECRET: secret(
    optional(longSecret),
    'Secret shared with the media services, at least 32 bytes. Signalpost sends it as Bearer, and so do the services when they push events.'
  ),
  MEDIA_SERVICE_TIMEOUT_MS: setting(duration(1), '2000', 'Time limit for a reply of a media service.'),
  MEDIA_HEALTH_INTERVAL_MS: setting(
    duration(10),
    '1000',
    'How often each node checks the health of each media service.'
  ),

  PUSH_KEY: secret(
    encryptionKeys,
    'Keys that encrypt the push subscriptions of devices, each 32 bytes in base64 (`openssl rand -base64 32`), separated by commas. The first one encrypts, all of them decrypt. Without it, devices cannot be woken.'
  )
}
