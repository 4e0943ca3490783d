// The port between Signalpost and its store. Two engines implement it: memory.ts (one process) and redis/ (any number of nodes). The contract
// suite, test/store/contract.ts, holds both to what the comments of this file and of the files it imports promise.
//
// Each method that writes is one atomic step in one partition, unless its comment says otherwise. A fault of the store (unreachable, timed
// out, failing over) is thrown as AppError store_unavailable, or store_full if it only refuses writes. Whatever a caller must handle is a
// return value. `now` is the time of Availability.clock, in milliseconds since the Unix epoch.
import type { AggregateRef, Aggregates, Stamp } from './aggregate.js'
import type { Availability } from './availability.js'
import type { BudgetCounters } from './budget-counters.js'
import type { CachedAnswers } from './cached-answers.js'
import type { Contacts } from './contacts.js'
import type { DeadLetters } from './dead-letters.js'
import type { DeviceCredentials } from './device-credentials.js'
import type { Fanouts } from './fanout.js'
import type { Leases } from './leases.js'
import type { LineLogs } from './line-logs.js'
import type { LostWrites } from './lost-writes.js'
import type { Cursor, Mail, StoredEvent } from './mail.js'
import type { Nodes } from './nodes.js'
import type { PushSubscriptions } from './push-subscriptions.js'
import type { Revocations } from './revocations.js'
import type { Memberships, RoomIndex, Rooms } from './rooms.js'
import type { Tickets } from './tickets.js'
import type { Timers } from './timers.js'
import type { Wakeups } from './wakeups.js'
import type { Watches } from './watches.js'
import type { WebhookQueues } from './webhook-queues.js'

export type { BudgetCounters } from './budget-counters.js'
export type { Lease, LeaseKind, Leases } from './leases.js'
export type { Cursor, Mail, MailboxEntry, StoredEvent } from './mail.js'
export type { StoreOptions } from './options.js'
export type { Notice, Wakeup, Wakeups } from './wakeups.js'

// ── Mailboxes: one for each device, in order and without gaps ───────────────────────────────────────────────────────────────────

/** The events of some commits of one aggregate for one user, oldest commit first. */
export interface UserAppend {
  readonly user: string
  readonly source: AggregateRef
  readonly commits: readonly UserCommit[]
}

/** Its entries get the tag of the commit. */
export interface UserCommit extends Stamp, Pick<Mail, 'entries'> {}

/** An event for one device that belongs to no commit, such as a candidate: it changes no aggregate. */
export interface DirectEvent {
  /** The commit that the decision was made on, and its aggregate; null: the event depends on no commit. */
  readonly basis: (Stamp & { readonly source: AggregateRef }) | null
  readonly device: string
  /** Append only if the mailbox has this head. */
  readonly expectedHead?: Cursor
  readonly type: string
  readonly envelope: string
  readonly tag: string
  readonly now: number
}

export type SendResult =
  /** The event was appended. `online`: see DeviceState. `queued`: the device is not online. */
  | { readonly status: 'online' | 'queued' }
  /** Nothing was written: the device is not registered, or the mailbox has another head than `expectedHead`. */
  | { readonly status: 'none' | 'moved' }
  /** Nothing was written: another commit stands than `basis`. `newest` is its version, 0 if there is none. */
  | { readonly status: 'behind'; readonly newest: number }

/** The weight of an entry is the bytes of its tag, type and envelope, a line each, plus this. lua/mailbox.lua has the same number. */
export const ENTRY_WEIGHT = 40

export const weightOf = ({ tag, type, envelope }: Omit<StoredEvent, 'seq'>): number =>
  Buffer.byteLength(envelope) + tag.length + type.length + 2 + ENTRY_WEIGHT

export interface ReadBounds {
  /** The most entries to read. */
  readonly limit: number
  /** The most weight of all entries read together. The first entry is read whatever its weight. */
  readonly maxBytes: number
}

export interface ReadOptions extends ReadBounds {
  /** The events after this cursor; 'start': all that are kept. */
  readonly from: Cursor | 'start'
  readonly now: number
}

export type ResetReason = 'expired' | 'evicted' | 'unknown' | 'future'

export type MailboxPage =
  /** The events after the cursor, oldest first, within the bounds. `head` is the newest event of the mailbox. */
  | { readonly status: 'ok'; readonly events: readonly StoredEvent[]; readonly head: Cursor }
  /** The cursor names an event that this mailbox never had, or not all events after it are kept. */
  | { readonly status: 'reset'; readonly reason: ResetReason; readonly head: Cursor }

export type ReadResult =
  | MailboxPage
  /** The device is not registered, or its last keepalive is older than the retention. */
  | { readonly status: 'none' }

export interface Touch {
  readonly now: number
  /** Of the empty mailbox, if it is created (its cursor is `0.<tag>`), or of the `reset` event, if one is appended. */
  readonly tag: string
  /** The connection that sends this keepalive. With `claim` it supersedes the device's previous connection (Wakeup 'claimed'). */
  readonly connection?: string
  readonly claim?: boolean
  /** With `connection`: the device is online until this instant unless renewed. Ignored if another connection has superseded this one. */
  readonly onlineUntil?: number
  /**
   * When the caller's token expires; null: never. A connection that claims the device sets it. A later touch without a connection can only
   * extend it, and then wakes the open stream (Wakeup 'auth').
   */
  readonly authExpiresAt?: number | null
  /** The presence that the user set for this device. */
  readonly status?: string
  /** Read the events after this cursor in the same step: `Touched.page`. */
  readonly readFrom?: Cursor | 'start'
  /** Required with `readFrom`. */
  readonly bounds?: ReadBounds
}

export interface Touched {
  /** The device was not registered before this touch. */
  readonly created: boolean
  readonly head: Cursor
  /** The device's connection after the touch; '': it has none. If it is not the caller's connection, it has superseded the caller's. */
  readonly connection: string
  /** When the token of the device's connection expires; null: never, or there is no connection. */
  readonly authExpiresAt: number | null
  /** When the device last made a request other than its stream or poll; 0: never. */
  readonly requestedAt: number
  /** The user holds a lease, is in a room or invited to one, or has a published presence. Otherwise nothing depends on the device's arrival. */
  readonly isInvolved: boolean
  /** Null without `Touch.readFrom`. */
  readonly page: MailboxPage | null
}

export interface DeviceState {
  readonly device: string
  /** Has an open stream or poll, or its last poll returned less than AWAY_AFTER_MS ago. */
  readonly online: boolean
  /** Online until this instant unless renewed; 0 when it is not online. */
  readonly onlineUntil: number
  /** The last keepalive. */
  readonly seenAt: number
  /** Its stream was closed, and no keepalive has followed. */
  readonly left: boolean
  /** '' when none is set. The last connection stays while the device may reconnect. */
  readonly status: string
  readonly connection: string
}

export interface Mailboxes {
  /**
   * Appends what fan-out publishes, each user in one atomic step, and wakes the users' open streams (Wakeup 'event'). A commit that the
   * user's mailboxes have taken (same version and tag) is dropped. An older version that is not remembered belongs to another history of
   * the aggregate, made after a failover: it is taken, and the versions from it on are no longer remembered.
   */
  appendEach(appends: readonly UserAppend[], now: number): Promise<void>
  /**
   * Appends an event only if the commit stands that the decision was made on. On a Cluster the user's mailboxes compare it with the newest
   * commit they have taken; a newer one than theirs, which they lost in a failover, is accepted and remembered.
   */
  send(user: string, event: DirectEvent): Promise<SendResult>
  read(user: string, device: string, options: ReadOptions): Promise<ReadResult>
  /**
   * A keepalive: registers the device if necessary and renews its retention. If the user has as many other devices as are allowed, the one
   * that never had a connection and was seen least recently is removed; null, and nothing is written: no such device exists. The first
   * touch after the mailbox's server may have lost writes appends a RESET.
   */
  touch(user: string, device: string, touch: Touch): Promise<Touched | null>
  /** Sets Touched.requestedAt and extends authExpiresAt. Writes nothing if the device has no open stream or poll. */
  recordRequest(user: string, device: string, request: Pick<Touch, 'now' | 'authExpiresAt'>): Promise<void>
  /** The device is offline from `now`, unless another connection has superseded this one. */
  closeConnection(user: string, device: string, closed: { connection: string; now: number }): Promise<void>
  /**
   * Deletes the device's record, mailbox, tickets and push subscription, and wakes its open stream (Wakeup 'gone'). False: it was not
   * registered.
   */
  remove(user: string, device: string): Promise<boolean>
  /** The user's registered devices, in no order, without expired ones. */
  devices(user: string, now: number): Promise<readonly DeviceState[]>
}

export interface Store extends Availability {
  readonly aggregates: Aggregates
  readonly rooms: Rooms
  readonly timers: Timers
  readonly memberships: Memberships
  /** The rooms that have a ringing invitation, by user. It lies with the user, so that a device which registers late finds them. */
  readonly invitations: RoomIndex
  /** The rooms in mode sfu, by the name of the media service that they are on. */
  readonly mediaRooms: RoomIndex
  readonly mailboxes: Mailboxes
  readonly leases: Leases
  readonly contacts: Contacts
  readonly nodes: Nodes
  readonly watches: Watches
  readonly fanouts: Fanouts
  readonly wakeups: Wakeups
  readonly tickets: Tickets
  readonly pushSubscriptions: PushSubscriptions
  readonly revocations: Revocations
  readonly deviceCredentials: DeviceCredentials
  readonly cachedAnswers: CachedAnswers
  readonly counters: BudgetCounters
  /** Messages that the chat service did not get. */
  readonly deadLetters: DeadLetters
  readonly webhookQueues: WebhookQueues
  /** Events that a destination did not get. */
  readonly webhookDeadLetters: DeadLetters
  /** By destination: attempts to deliver webhooks, bounded by DELIVERY_LOG. */
  readonly deliveryLog: LineLogs
  /** By call: what webhooks, push and policy did. */
  readonly callNotes: LineLogs
  onLostWrites(listen: (lost: LostWrites) => void): () => void
  close(): Promise<void>
}
