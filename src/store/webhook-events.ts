// Part of the port in store.ts: what commits queue for webhooks, see webhook-queues.ts.

/** What a commit queues for each of these destinations. */
export interface NewWebhookEvent {
  readonly destinations: readonly string[]
  readonly type: string
  /** An OutgoingEvent as JSON text. In an event of a room `data` lacks `version`, which only the commit knows: see QueuedEvent. */
  readonly envelope: string
  /** The event is worthless from this instant on and then dropped. Null: it is kept until it is delivered or the queue expires. */
  readonly expiresAt: number | null
}
