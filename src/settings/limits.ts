// Rate limits: what a user or an address may do in a window of time.
import { duration, integer, setting } from '../setting.js'

export const LIMIT_SETTINGS = {
  RATE_LIMIT_CALLS: setting(integer(1, 1_000_000), '60', 'Calls a user may create in a minute.'),
  RATE_LIMIT_CALLS_PER_PAIR: setting(
    integer(1, 1_000_000),
    '5',
    'Ring attempts of a user at one other user in a minute.'
  ),
  RATE_LIMIT_CALLS_PER_CALLEE: setting(
    integer(1, 1_000_000),
    '30',
    'Ring attempts of all unknown callers together at a user in a minute.'
  ),
  RATE_LIMIT_PUSHES: setting(
    integer(1, 1_000_000),
    '10',
    'Calls of known callers, and as many of unknown ones, that wake the devices of a callee in a minute. Further ones ring only on devices that are online.'
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
    'Users whose presence a user may look up or watch in 10 seconds. A look-up counts a user as often as the request names them, a watch list once; reading the list counts all on it.'
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
  )
}
