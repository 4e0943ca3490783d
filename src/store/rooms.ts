// Part of the port in store.ts: rooms. A room has parts that change independently of each other (settings, participants, bans). A commit is
// conditional on the parts that its decision relied on, so a thousand users who join at once do not conflict. The general promises of
// store.ts hold.
import type { OutboxItem, Stamp } from './aggregate.js'
import type { Recipient } from './fanout.js'
import type { NewWebhookEvent } from './webhook-events.js'

/**
 * A field whose name begins with this outlives the room: it stays when the room expires and when its id is used again, until it is deleted
 * or there was no commit with this room id for LASTING_MS. A room has at most LASTING_MAX of them.
 */
export const LASTING = '+'
export const LASTING_MS = 365 * 24 * 3_600_000
export const LASTING_MAX = 1000

/**
 * Groups: fields whose names begin with one of these and a colon. Each group is stored apart, so that it is read only when it is asked for,
 * and alone. The fields of the first two groups are participants: while the field exists, its device is a recipient of the room's events.
 * Those of the first one are counted, and commits bound their number; a room with only those of the second one is empty.
 */
export const ROOM_GROUPS = [
  'participant',
  'hidden',
  'user',
  'invitation',
  'invitee',
  'cancelled',
  'broadcast',
  'producer'
] as const
export const PARTICIPANTS = `${ROOM_GROUPS[0]}:`
export const HIDDEN_PARTICIPANTS = `${ROOM_GROUPS[1]}:`

/**
 * `group::` asks for the head of each field of a group: the first line of its value. The head of the field `group:x` is returned under the
 * name `group::x`, which no field has.
 */
export const HEADS = ':'

/** Whether a name asks for a group: its name and one or two colons, after LASTING for lasting fields. */
export const isGroup = (name: string): boolean => /^\+?[a-z]+::?$/.test(name)

/** A predicate: whether the field names and groups in the list ask for a name. */
export function requestFilter(fields: readonly string[]): (name: string) => boolean {
  const names = new Set(fields)
  const groups = fields.filter(isGroup)
  return name => names.has(name) || groups.some(group => name.startsWith(group))
}

/** One part of a room, and the commit that wrote it. */
export interface Field extends Stamp {
  /** JSON, of one line or two. */
  readonly value: string
}

export const headOf = (value: string): string => value.split('\n', 1)[0] ?? ''

/**
 * The recipient in the field of a participant. The head of the field is a Recipient. Its `since` is null in the value that the commit of
 * the join wrote, because that commit had no version yet: then it is the version of the field.
 */
export function toRecipient({ version, value }: Pick<Field, 'version' | 'value'>): Recipient {
  const recipient = JSON.parse(headOf(value)) as Omit<Recipient, 'since'> & { readonly since: number | null }
  return { ...recipient, since: recipient.since ?? version }
}

export interface RoomSnapshot {
  /** Counts the commits of the room. 0: the room has expired and only lasting fields are left. */
  readonly version: number
  /** The fields that were asked for and exist, by name. */
  readonly fields: ReadonlyMap<string, Field>
  /** How many devices are in the room. */
  readonly participantCount: number
  /** All commits up to this version have been published to all their recipients. */
  readonly publishedVersion: number
}

export interface LogEntryContent {
  /** Chosen by the author, to recognize a retry. */
  readonly id: string
  readonly value: string
}

export interface NewLogEntry extends LogEntryContent {
  /** How many entries the log keeps. Older ones and their ids are deleted by the commit, or with `keepsExcess` by trimLog. */
  readonly keep: number
  readonly keepsExcess?: boolean
}

export interface RoomCommit {
  /** The fields that the decision relies on, with the commit that wrote each; null: the field did not exist. */
  readonly reads: Readonly<Record<string, Stamp | null>>
  /** Null deletes a field. */
  readonly writes: Readonly<Record<string, string | null>>
  /** The commit adds no participant beyond this number. */
  readonly participantsMax: number
  readonly logEntry?: NewLogEntry
  /** Written to the fan-out log. A user who is named by an item receives it, in the room or not. */
  readonly items: readonly OutboxItem[]
  /** Queued with the commit, see WebhookQueues. */
  readonly webhooks?: readonly NewWebhookEvent[]
  readonly tag: string
  /** When the room must be checked. Brings an existing deadline forward and never postpones it. */
  readonly deadlineAt: number | null
  /** When the room must be checked if no device is in it after this commit. */
  readonly emptyDeadlineAt: number
  /**
   * The room is over: it has no deadline, and expires this long after everything was published. Null: it does not expire, even if it was
   * over.
   */
  readonly expireInMs: number | null
  /** The node that commits. It gets the fan-out lease if the log is not empty and no other node has the lease. */
  readonly node: string
  readonly now: number
}

export type RoomCommitResult =
  /**
   * `fanoutLease`: the log is not empty and this node has the lease, so it must start to publish (see Fanouts). False: the log is empty, or
   * another node publishes it, with this commit. `excess`: the log entries beyond those that are kept, if there are any.
   * `webhooksRefused`: as in CommitResult.
   */
  | {
      readonly status: 'ok'
      readonly version: number
      readonly fanoutLease: boolean
      readonly excess?: readonly LogEntry[]
      readonly webhooksRefused?: number
    }
  /** A field of `reads` has changed. Nothing was written. */
  | { readonly status: 'conflict' }
  /** The room has as many participants, or lasting fields, as it may have. Nothing was written. */
  | { readonly status: 'full'; readonly of: 'participants' | 'lasting' }
  /** The log has an entry with this id already, written by the commit `version`. Nothing was written. */
  | { readonly status: 'known'; readonly version: number }

/** An entry of the room log. The log is in the order of the versions. */
export interface LogEntry extends LogEntryContent {
  /** The version of the room that wrote it. */
  readonly version: number
}

export interface Rooms {
  /** `group:` asks for all fields of a group, `group::` for their heads. Null: there is no such room, and no lasting field of it. */
  load(roomId: string, fields: readonly string[] | 'all'): Promise<RoomSnapshot | null>
  commit(roomId: string, commit: RoomCommit): Promise<RoomCommitResult>
  /** Brings the deadline of a room forward to `at`. Never postpones and never creates one. */
  bringForward(roomId: string, at: number): Promise<void>
  /**
   * The node that claimed the deadline has checked the room: sets the next deadline to `at`, before or after the end of the claim. If
   * another check was scheduled since the claim, by a commit or bringForward, the deadline is only brought forward.
   */
  settleClaim(roomId: string, options: { claimedUntil: number; at: number }): Promise<void>
  /**
   * At most `limit` entries of the room log between `after` and `before` (both exclusive), oldest first: the first ones after `after` if
   * that is given, else the last ones.
   */
  log(roomId: string, options: { before?: number; after?: number; limit: number }): Promise<readonly LogEntry[]>
  /** Deletes this entry, all before it, and their ids. Idempotent. Deletes nothing if the log does not have exactly this entry. */
  trimLog(roomId: string, upTo: Pick<LogEntry, 'version' | 'id'>): Promise<void>
}

/**
 * An index of rooms by something that they depend on, their owner. An entry is added before the commit of the room and never removed: it
 * lapses. So a room that depends on the owner is always listed, and one that is listed may not depend on it any more, which the room shows.
 */
export interface RoomIndex {
  /** Idempotent. The room is listed until `until`, or longer if it was added with a later time before. */
  add(owner: string, roomId: string, options: { until: number; now: number }): Promise<void>
  list(owner: string, now: number): Promise<readonly string[]>
}

/** A device in a room, and its participant id. */
export type Participation = Omit<Recipient, 'since'>

/** An entry of the index of the rooms that a user's devices are in. The index lies with the user. */
export interface Membership extends Participation {
  readonly roomId: string
  /** When it was added. */
  readonly at: number
}

export interface Memberships {
  /**
   * Idempotent. A device has one membership for a room: the last one that was added. False: the device is in `max` other rooms; nothing was
   * written.
   */
  add(participation: Participation, roomId: string, options: { max: number; now: number }): Promise<boolean>
  /** Idempotent. Changes nothing if the membership has another participant id. */
  remove(participation: Participation, roomId: string): Promise<void>
  /** The memberships of one device, or of all devices of the user. */
  list(user: string, device?: string): Promise<readonly Membership[]>
}

/**
 * The memberships of a user expire when none was added or listed for this long. Leaving and the checks of rooms remove them much earlier.
 */
export const MEMBERSHIPS_MS = 7 * 24 * 3_600_000
