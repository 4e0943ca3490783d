// A part of the port in store.ts: what a commit says to the users it concerns.
import type { ContactUpdate } from './contacts.js'
import type { LeaseClaim } from './leases.js'

/** Names an event, not a position: `tag` tells two events with the same `seq` in two histories of a mailbox apart (G2). */
export interface Cursor {
  readonly seq: number
  readonly tag: string
}

export interface MailboxEntry {
  /** Only this device; without it, all registered devices of the user but `except`. */
  readonly device?: string
  readonly except?: readonly string[]
  readonly type: string
  /** The OutgoingEvent as JSON text on one line, encoded once and sent to every client as it is. */
  readonly envelope: string
}

/** What one commit says to one user. On a Cluster the user's mailboxes remember the commit: see Mailboxes.send. */
export interface Mail {
  /** May be empty. */
  readonly entries: readonly MailboxEntry[]
  /** The holder's lease on the user is released, also with a duplicate. It is the last commit of the source's life. */
  readonly release?: string
  /** It is the first commit of a life of the source. */
  readonly begins?: boolean
  /** What the commit says of a peer of the user: see Contacts. Not with a duplicate. */
  readonly contact?: ContactUpdate
}

export interface UserMail extends Mail {
  readonly user: string
  /** The commit stands only if the user has this lease, see Commit. */
  readonly claim?: LeaseClaim
  /** The user made the request behind the commit, with this device: a sign of life, as Mailboxes.touch without a connection. */
  readonly sign?: Sign
}

export interface Sign {
  readonly device: string
  /** When the caller's token expires; null: never. */
  readonly authExpiresAt: number | null
}

/** Devices that took an event: those with an open stream or poll, and others. */
export interface Reached {
  readonly online: number
  readonly queued: number
}

/** By user. Users that no event was for are missing. */
export type Deliveries = ReadonlyMap<string, Reached>
