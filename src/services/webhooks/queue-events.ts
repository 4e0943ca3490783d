// Which events a commit queues for webhooks. Without a destination nothing is computed.
import type { AggregateRef } from '../../store/aggregate.js'
import type { NewWebhookEvent } from '../../store/webhook-events.js'
import type { Context } from '../context.js'
import { envelopeOf, timestampOf } from '../mail.js'
import { startWebhookDelivery } from './deliver.js'

/** What the systems of the operator receive. */
export interface OperatorEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Whether a destination receives events of this type. */
export const isWanted = ({ config }: Pick<Context, 'config'>, type: string): boolean =>
  config.webhookUrls.some(({ types }) => types.has(type))

/** What a commit queues. Types that no destination receives are left out; schemas/webhook.ts says which are never sent. */
export function webhooksIn(
  { config: { webhookUrls } }: Context,
  now: number,
  eventsOf: () => readonly OperatorEvent[]
): readonly NewWebhookEvent[] {
  if (webhookUrls.length === 0) return []
  const timestamp = timestampOf(now)
  return eventsOf().flatMap(({ type, data }) => {
    const destinations = webhookUrls.filter(({ types }) => types.has(type)).map(({ id }) => id)
    if (destinations.length === 0) return []
    return [{ destinations, type, envelope: envelopeOf({ type, timestamp, data }), expiresAt: null }]
  })
}

interface QueuedWebhooks {
  readonly webhooks?: readonly NewWebhookEvent[]
  /** Events for a destination that the commit did not queue, because too many queues wait. */
  readonly webhooksRefused?: number
}

/** After the commit: this node delivers the events at once. */
export function deliverWebhooks(
  context: Context,
  source: AggregateRef,
  { webhooks = [], webhooksRefused = 0 }: QueuedWebhooks
): void {
  if (webhooksRefused > 0) context.metrics.webhooksDropped.inc({ reason: 'backlog_full' }, webhooksRefused)
  for (const destination of new Set(webhooks.flatMap(({ destinations }) => destinations)))
    startWebhookDelivery(context, { destination, source })
}
