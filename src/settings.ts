// Everything about a setting is one row in settings/: the type of Config, the defaults, .env.example and docs/reference/settings.md come from it.
import { CALL_SETTINGS } from './settings/calls.js'
import { LIMIT_SETTINGS } from './settings/limits.js'
import { ROOM_SETTINGS } from './settings/rooms.js'
import { SERVER_SETTINGS } from './settings/server.js'
import { SERVICE_SETTINGS } from './settings/services.js'

export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...CALL_SETTINGS,
  ...LIMIT_SETTINGS,
  ...ROOM_SETTINGS,
  ...SERVICE_SETTINGS
}
