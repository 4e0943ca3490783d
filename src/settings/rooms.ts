// Rooms and chat.
import { duration, integer, optional, setting, webUrl } from '../setting.js'

export const ROOM_SETTINGS = {
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
    'Longest back-off after a failure of the chat service. It begins at 500 ms and doubles each time.'
  ),
  CHAT_DEAD_LETTERS_MAX: setting(
    integer(1, 100_000),
    '1000',
    'Dead letters kept for operators: messages that the chat service refused or did not take in time.'
  )
}
