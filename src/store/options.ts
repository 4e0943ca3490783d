// Part of the port in store.ts.
import type { WebhookQueueBounds } from './webhook-queues.js'

/** Options of both engines. The bounds of webhook queues default to WEBHOOK_QUEUE_BOUNDS. */
export interface StoreOptions extends Partial<WebhookQueueBounds> {
  /** How long a device and its mailbox are kept after the device's last keepalive. */
  readonly retentionMs: number
  readonly mailboxMaxEvents: number
  /** Most weight of the entries that a mailbox keeps. The newest entry is kept whatever its weight. */
  readonly mailboxMaxBytes: number
  /** Expired devices do not count. */
  readonly maxDevicesPerUser: number
}
