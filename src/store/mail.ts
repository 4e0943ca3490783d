// Part of the port in store.ts: mail, what a commit sends to the mailboxes of its users.
import type { ContactUpdate } from './contacts.js'
import type { LeaseClaim } from './leases.js'

/** Names an event. `tag` tells apart two events with the same `seq`, which exist after a failover that lost the first one. */
export interface Cursor {
  readonly seq: number
  readonly tag: string
}

export interface MailboxEntry {
  /** Missing: all registered devices of the user except `except`. */
  readonly device?: string
  readonly except?: readonly string[]
  readonly type: string
  /** The OutgoingEvent as JSON text on one line, encoded once and sent to clients unchanged. */
  readonly envelope: string
}

/** The mail of one commit to one user. On a Cluster the user's mailboxes remember which commits they have taken. */
export interface Mail {
  /** May be empty. */
  readonly entries: readonly MailboxEntry[]
  /** The holder whose lease on this user is released. */
  readonly release?: string
  /**
   * The user's first commit of the aggregate's life. An id whose aggregate has ended may be used again: that is another life. A user may
   * also come back to the same one.
   */
  readonly begins?: boolean
  /** The last commit of the aggregate's life. Its lease is released also if the commit is dropped as a repeat. */
  readonly ends?: boolean
  /** Recorded as Contacts.record does, but not if the commit is dropped as a repeat. */
  readonly contacts?: readonly ContactUpdate[]
}

export interface UserMail extends Mail {
  readonly user: string
  /** The commit is refused if the user cannot get this lease. */
  readonly claim?: LeaseClaim
  /** The device that made the commit: a keepalive like Mailboxes.touch without a connection. */
  readonly keepalive?: Keepalive
}

export interface Keepalive {
  /** A registered device. */
  readonly device: string
  /** When the caller's token expires; null: never. */
  readonly authExpiresAt: number | null
}

/** How many mailboxes took an event: of devices that are `online` (DeviceState), and of others. */
export interface Reached {
  readonly online: number
  readonly queued: number
}

/** By user. Users without events are missing. */
export type Deliveries = ReadonlyMap<string, Reached>

export interface StoredEvent extends Cursor {
  readonly type: string
  /** The OutgoingEvent as JSON text on one line, encoded once and sent to clients unchanged. */
  readonly envelope: string
}
