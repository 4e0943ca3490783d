// All settings. Each is one row in settings/, from which the type Config, .env.example and docs/reference/settings.md are derived.
import { CALL_SETTINGS } from './settings/calls.js'
import { DEVICE_SETTINGS } from './settings/devices.js'
import { LIMIT_SETTINGS } from './settings/limits.js'
import { ROOM_SETTINGS } from './settings/rooms.js'
import { SERVER_SETTINGS } from './settings/server.js'
import { SERVICE_SETTINGS } from './settings/services.js'
import { WEBHOOK_SETTINGS } from './settings/webhooks.js'

export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...DEVICE_SETTINGS,
  ...CALL_SETTINGS,
  ...LIMIT_SETTINGS,
  ...ROOM_SETTINGS,
  ...SERVICE_SETTINGS,
  ...WEBHOOK_SETTINGS
}
