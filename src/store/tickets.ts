// Part of the port in store.ts: tickets, secrets in a URL that stand for a token where no header can be set. The general promises of
// store.ts hold.

/** Most tickets of a user, over all devices. One more replaces the ticket that expires first. */
export const TICKETS_MAX = 256

/**
 * How long a ticket lasts after its last use, or after the last refresh of a stream opened with it: time for an EventSource to reconnect.
 */
export const TICKET_IDLE_MS = 120_000

export interface Ticket {
  /** Unguessable. */
  readonly id: string
  /** The ticket is revoked when this device is removed (Mailboxes.remove). */
  readonly device: string
  readonly value: string
  readonly ttlMs: number
}

export interface Tickets {
  put(user: string, ticket: Ticket): Promise<void>
  /**
   * The ticket's value; null if it is unknown, expired or revoked. The ticket then expires `ttlMs` from now. It can be used many times,
   * because EventSource reconnects with the same URL.
   */
  use(user: string, id: string, ttlMs: number): Promise<string | null>
}
