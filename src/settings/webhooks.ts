// Webhooks to the operator's systems.
import { duration, flag, integer, secret, setting } from '../setting.js'
import { webhookSecrets, webhookUrls } from '../webhook-urls.js'

export const WEBHOOK_SETTINGS = {
  WEBHOOK_URLS: secret(
    webhookUrls,
    'Receivers of webhooks, separated by commas. A fragment is a filter: `https://example.com/hook#call.*,room.closed`. Without one, all events but `push` are sent.'
  ),
  WEBHOOK_SECRETS: secret(
    webhookSecrets,
    'The secrets that sign webhooks, `whsec_` and 24 to 64 bytes in base64: one for each URL, in the same order, separated by commas. Two joined by `+` both sign, while one rotates.'
  ),
  WEBHOOK_ALLOW_PRIVATE: setting(
    flag,
    'false',
    'Whether webhooks may be sent to private, loopback and link-local addresses.'
  ),
  WEBHOOK_TIMEOUT_MS: setting(duration(1), '10000', 'Time limit for a reply to a webhook.'),
  WEBHOOK_RETRY_MAX_MS: setting(
    duration(1000),
    '600000',
    'Longest pause before a webhook is sent again. The first one is a second, and each is twice as long as the one before.'
  ),
  WEBHOOK_GIVE_UP_MS: setting(
    integer(1000, 86_400_000),
    '86400000',
    'A webhook that is not delivered becomes a dead letter at this age, at most a day.'
  ),
  WEBHOOK_QUEUE_MAX: setting(
    integer(1, 100_000),
    '1000',
    'Webhook events that wait for one call, room or user and one destination. One more drops the oldest.'
  ),
  WEBHOOK_BACKLOG_MAX: setting(
    integer(1, 10_000_000),
    '100000',
    'Calls, rooms and users whose events wait for one destination of webhooks. Events of further ones are dropped for this destination.'
  ),
  WEBHOOK_DEAD_LETTERS_MAX: setting(
    integer(1, 1_000_000),
    '10000',
    'Undelivered webhooks that are kept for operators. The oldest are dropped.'
  )
}
