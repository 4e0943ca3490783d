// The port between Signalpost and where things are kept. Two engines implement it: memory.ts (one process) and redis/ (any
// number). One contract suite, test/store/contract.ts, holds both to what the comments here promise.
//
// Every method that writes is one atomic step in one partition (one hash slot). A fault of the store itself (unreachable,
// timed out, failing over) is thrown as AppError('store_unavailable'), and as AppError('store_full') if it refuses writes alone; anything
// a caller must handle is a return value. `now` always comes from the caller's clock, in milliseconds since the epoch.
import type { AggregateRef, Aggregates, Stamp } from './aggregate.js'
import type { Availability } from './availability.js'
import type { CachedAnswers } from './cached-answers.js'
import type { Contacts } from './contacts.js'
import type { DeadLetters } from './dead-letters.js'
import type { Fanouts } from './fanout.js'
import type { Leases } from './leases.js'
import type { LostWrites } from './lost-writes.js'
import type { Cursor, Mail } from './mail.js'
import type { Quotas } from './quotas.js'
import type { Invitations, Memberships, Rooms } from './rooms.js'
import type { Tickets } from './tickets.js'
import type { Timers } from './timers.js'
import type { Watches } from './watches.js'

export type { Lease, LeaseKind, Leases } from './leases.js'
export type { Cursor, Mail, MailboxEntry } from './mail.js'
export type { Quotas } from './quotas.js'

// ── Mailboxes: one a device, dense, totally ordered ───────────────────────────────────────────────────────────────────

export interface StoredEvent extends Cursor {
  readonly type: string
  /** The OutgoingEvent as JSON text on one line, encoded once and sent to every client as it is. */
  readonly envelope: string
}

/** What commits of one source say to one of many users, oldest first. */
export interface UserAppend {
  readonly user: string
  readonly source: AggregateRef
  readonly commits: readonly UserCommit[]
}

/** The entries that a commit makes carry its tag. */
export interface UserCommit extends Stamp, Pick<Mail, 'entries'> {}

/** One event for one device that no commit stands behind: it changed nothing, as a candidate changes nothing of its call. */
export interface DirectEvent {
  /** The commit it was decided on, and whose. Null: no commit matters to it. */
  readonly basis: (Stamp & { readonly source: AggregateRef }) | null
  readonly device: string
  /** Only if this is the newest event of the mailbox still. */
  readonly at?: Cursor
  readonly type: string
  readonly envelope: string
  readonly tag: string
  readonly now: number
}

export type SendResult =
  /** The device took it, with an open stream or poll or without. */
  | { readonly status: 'online' | 'queued' }
  /** Nothing was written: the device is not registered, or its mailbox is not `at` where it was. */
  | { readonly status: 'none' | 'moved' }
  /** Nothing was written: another commit stands than the message was decided on; 0 if none does. */
  | { readonly status: 'behind'; readonly newest: number }

/** What an entry weighs beside the bytes of its envelope. lua/mailbox.lua knows the same number. */
export const ENTRY_WEIGHT = 64

export interface ReadBounds {
  /** Most entries. */
  readonly limit: number
  /** Most weight of the entries together. The first one is read whatever it weighs. */
  readonly maxBytes: number
}

export interface ReadOptions extends ReadBounds {
  /** The events after this cursor; 'start': all that are kept. */
  readonly from: Cursor | 'start'
  readonly now: number
}

export type ResetReason = 'expired' | 'evicted' | 'unknown' | 'future'

export type MailboxPage =
  /** Entries after the cursor, oldest first, within the bounds; `head` is the newest entry of the mailbox. */
  | { readonly status: 'ok'; readonly events: readonly StoredEvent[]; readonly head: Cursor }
  /** The cursor names an event that is not in this mailbox's history, or whose successors are partly gone. */
  | { readonly status: 'reset'; readonly reason: ResetReason; readonly head: Cursor }

export type ReadResult =
  | MailboxPage
  /** The device is not registered, or has been gone for longer than the retention. */
  | { readonly status: 'none' }

export interface Touch {
  readonly now: number
  /** A tag for the birth of the mailbox, used only if it has to be created: an empty mailbox's cursor is `0.<tag>`. */
  readonly tag: string
  /** The connection this sign of life comes from. With `claim` it becomes the device's one connection and others are told. */
  readonly connection?: string
  readonly claim?: boolean
  /** Online until this instant unless renewed; goes with `connection`, and counts only while that is the device's connection. */
  readonly onlineUntil?: number
  /**
   * When the caller's token expires; null: never. The connection that becomes the device's one sets it, whatever was shown before;
   * a later touch without a connection may extend it, and open streams are told.
   */
  readonly authExpiresAt?: number | null
  /** What the user wants shown, kept with the device. */
  readonly status?: string
  /** Read what follows this cursor in the same step, once the device is registered: `Touched.page`. */
  readonly readFrom?: Cursor | 'start'
  /** Of what is read; goes with `readFrom`. */
  readonly bounds?: ReadBounds
}

export interface Touched {
  /** The device was not registered before this touch. */
  readonly created: boolean
  readonly head: Cursor
  /** The device's connection now: another one than the caller's means that the caller's was superseded. '' is none. */
  readonly connection: string
  /** When the device's connection has to end; null: never, or there was no connection yet. */
  readonly authExpiresAt: number | null
  /** The device's last request besides its stream or poll; 0 for none. */
  readonly requestedAt: number
  /** The user holds a lease, is in a room, is invited to one or was watched a short while ago. If not, nobody needs to learn that the device came. */
  readonly isInvolved: boolean
  /** Null without `Touch.readFrom`. */
  readonly page: MailboxPage | null
}

export interface DeviceState {
  readonly device: string
  /** Has an open stream or poll. */
  readonly online: boolean
  /** Until then, unless it is renewed; 0 when it is not online. */
  readonly onlineUntil: number
  /** Last sign of life. */
  readonly seenAt: number
  /** Its stream was closed, and it has shown no sign of life since. */
  readonly left: boolean
  /** '' when none was set. */
  readonly status: string
}

export interface Mailboxes {
  /**
   * What fan-out publishes, at a time for each user; wakes the open streams of each (Wakeup 'event'). A commit is dropped if
   * the user's mailboxes have taken it (version and tag) already; else taken, and remembered for as long as matters. An older
   * version that is not remembered is another history of the source, made after a failover forgot the first: it is taken, and
   * what was remembered from there on is forgotten. What is said to many costs little more than what is said to one.
   */
  appendEach(appends: readonly UserAppend[], now: number): Promise<void>
  /**
   * The short way of what happens most: one device, no commit. Taken only if the commit stands that the message was decided on. On a Cluster
   * the mailboxes compare it with the newest commit they have taken; one above all that they know they have forgotten, and remember from then on.
   */
  send(user: string, message: DirectEvent): Promise<SendResult>
  /** `cursor` 'start' reads all that is kept. */
  read(user: string, device: string, options: ReadOptions): Promise<ReadResult>
  /**
   * Registers the device if need be, marks it seen, renews its retention, and with `claim` makes the connection the only one.
   * Null, and nothing is written: the device is not registered, and as many others of the user are as may be. The first touch after the
   * server of the mailbox may have forgotten writes appends a RESET.
   */
  touch(user: string, device: string, touch: Touch): Promise<Touched | null>
  /** The device made a request: kept for its open stream or poll (Touched.requestedAt). Without one nothing is written. */
  recordRequest(user: string, device: string, now: number): Promise<void>
  /** The connection closed: the device is offline from now, unless another connection has claimed it meanwhile. */
  closeConnection(user: string, device: string, closed: { connection: string; now: number }): Promise<void>
  /** Signs the device off: record, mailbox and tickets are gone; its open stream is told (Wakeup 'gone'). False if it was not there. */
  remove(user: string, device: string): Promise<boolean>
  /** The user's registered devices, in no order. Expired ones are left out. */
  devices(user: string, now: number): Promise<readonly DeviceState[]>
}

// ── Wake-ups: hints to open streams; the mailbox is the truth ─────────────────────────────────────────────────────────

export type Wakeup =
  /** Entries were appended, at least one; `prevTag` is the tag of the entry before them (of the birth, for the first). */
  | {
      readonly kind: 'event'
      readonly device: string
      readonly prevTag: string
      readonly events: readonly StoredEvent[]
    }
  /** This connection is the device's one connection now. */
  | { readonly kind: 'claimed'; readonly device: string; readonly connection: string }
  /** A fresher token was shown for the device: its connection may last until then; null: for ever. */
  | { readonly kind: 'auth'; readonly device: string; readonly expiresAt: number | null }
  /** The device signed off. */
  | { readonly kind: 'gone'; readonly device: string }
  /** Said to whoever listens now, and kept nowhere: it may be lost. Both are ready to be sent, the envelope as JSON on one line. */
  | { readonly kind: 'notice'; readonly device: string; readonly type: string; readonly envelope: string }
  /** Wake-ups may have been lost: read the mailbox again. For all devices of the user. */
  | { readonly kind: 'gap' }
export type Notice = Extract<Wakeup, { kind: 'notice' }>

export interface Wakeups {
  /** Resolves when wake-ups sent from then on arrive. The returned function ends it and resolves when that is done. */
  subscribe(user: string, listen: (wakeup: Wakeup) => void): Promise<() => Promise<void>>
  /**
   * What commits wrote whose events are for users who are subscribed here. A hint that may be lost, or come late; nothing waits for its
   * delivery. The returned function ends it.
   */
  onCommit(listen: (ref: AggregateRef, written: Stamp & { readonly state: string }) => void): () => void
  /** To those who are subscribed now. Nothing is written. */
  notify(user: string, notice: Omit<Notice, 'kind'>): Promise<void>
}

export interface Store extends Availability {
  readonly aggregates: Aggregates
  readonly rooms: Rooms
  readonly timers: Timers
  readonly memberships: Memberships
  readonly invitations: Invitations
  readonly mailboxes: Mailboxes
  readonly leases: Leases
  readonly contacts: Contacts
  readonly watches: Watches
  readonly fanouts: Fanouts
  readonly wakeups: Wakeups
  readonly tickets: Tickets
  readonly cachedAnswers: CachedAnswers
  readonly quotas: Quotas
  readonly deadLetters: DeadLetters
  /** See LostWrites. The returned function ends it. */
  onLostWrites(listen: (where: LostWrites) => void): () => void
  close(): Promise<void>
}

/** How the engines are told what they need to know. */
export interface StoreOptions {
  /** A device's mailbox is kept for so long after its last sign of life. */
  readonly retentionMs: number
  readonly mailboxMaxEvents: number
  /** The weight of what a mailbox keeps; its newest entry is kept whatever it weighs. */
  readonly mailboxMaxBytes: number
  /** Registered at once; those that expired do not count. */
  readonly maxDevicesPerUser: number
}
