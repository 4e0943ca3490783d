// The push of a call, as its commit queues it for the destinations that take it.
import { pushesOf } from '../../domain/call/push.js'
import type { CallState } from '../../domain/call/state.js'
import type { NewWebhookEvent } from '../../store/webhook-events.js'
import type { Context } from '../context.js'
import { envelopeOf, timestampOf } from '../mail.js'

const TYPE = 'push'

interface CallChange {
  readonly before: CallState | null
  readonly state: CallState
}

export function pushesIn({ config }: Context, { before, state }: CallChange, now: number): NewWebhookEvent[] {
  const destinations = config.webhookUrls.filter(({ types }) => types.has(TYPE)).map(({ id }) => id)
  if (destinations.length === 0) return []
  return pushesOf(before, state, now).map(({ data, expiresAt }) => {
    const envelope = envelopeOf({ type: TYPE, timestamp: timestampOf(now), data: { ...data, expiresAt } })
    return { destinations, type: TYPE, envelope, expiresAt }
  })
}
