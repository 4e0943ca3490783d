// A part of the port in store.ts: tickets, which stand in for a token where no header can be set. The promises at the top of that
// file hold here too.

/** Tickets a user may have at once, over all devices; one more takes the place of the one that would lapse first. */
export const TICKETS_MAX = 256

export interface Ticket {
  /** Unguessable. */
  readonly id: string
  /** The ticket is revoked when this device signs off (Mailboxes.remove). */
  readonly device: string
  readonly value: string
  readonly ttlMs: number
}

export interface Tickets {
  put(user: string, ticket: Ticket): Promise<void>
  /** The value, its life extended to `ttlMs` from now; null when unknown, lapsed or revoked. Many uses: EventSource reconnects. */
  use(user: string, id: string, ttlMs: number): Promise<string | null>
}
