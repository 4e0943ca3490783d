// Calls, devices, mailboxes and presence.
import { duration, flag, integer, oneOf, optional, setting } from '../setting.js'

export const CALL_SETTINGS = {
  RING_TIMEOUT_MS: setting(duration(1), '30000', 'How long a call rings before it ends with `no_answer`.'),
  CONNECT_TIMEOUT_MS: setting(
    duration(1),
    '30000',
    'How long an accepted call may take to connect. If offer and answer were exchanged by then, it becomes `connected`; otherwise it ends with `expired`.'
  ),
  MAX_CALL_DURATION_MS: setting(
    optional(duration(60_000)),
    '',
    'How long after its answer a call ends with `expired`. Without it calls may last for ever.'
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
    'What happens to a call to a user without a registered device, and without one that a push can wake: `reject` refuses it, `ring` waits for a device. A call may say otherwise (`whenOffline`).'
  ),
  ON_GLARE: setting(
    oneOf('merge', 'reject'),
    'merge',
    'When two users call each other at once: `merge` makes one call of both, `reject` refuses the second.'
  ),
  MAX_SDP_BYTES: setting(
    integer(1024, 1_048_575),
    '65536',
    'Bytes that a session description may have. The body of a request may have four times as many, or 256 KiB if that is more.'
  ),

  RETENTION_MS: setting(
    duration(1000),
    '600000',
    "How long a device's mailbox is kept after the device's last keepalive."
  ),
  MAX_DEVICES_PER_USER: setting(
    integer(1, 1000),
    '32',
    'Devices a user may have. A device that signs off, is gone for `RETENTION_MS`, or never opened a stream or poll makes room for another.'
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
    'How long a device counts as online after its last keepalive. An open stream renews it every third of this time. Without a stream, send `PUT /v1/presence`; in a call or room, at least every `AWAY_AFTER_MS`.'
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
  )
}
