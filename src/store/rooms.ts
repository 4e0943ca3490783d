// The second part of the port in store.ts: rooms. Unlike a call, a room has parts that change independently of each other (its
// settings, each participant, each ban), so a commit is conditional on the parts its decision read and not on the whole: a thousand
// people who join at once do not fight. The promises at the top of store.ts hold here too.
import type { OutboxItem, Stamp } from './aggregate.js'
import type { Recipient } from './fanout.js'

/**
 * A field whose name begins with this outlives the room: it stays when the room expires, and when its id is used again, until it is
 * taken away or no commit has reached the room for LASTING_MS. A room has at most LASTING_MAX of them.
 */
export const LASTING = '+'
export const LASTING_MS = 365 * 24 * 3_600_000
export const LASTING_MAX = 1000

/**
 * Fields whose names begin with one of these and a colon are kept apart from the others: reading a room does not read them, and reading
 * a whole group reads nothing else. The fields of the first group are the devices in the room: as long as a field is there, its device is
 * a recipient of what the room publishes, and their number is bounded by each commit.
 */
export const ROOM_GROUPS = ['participant', 'user', 'invitation', 'invitee', 'cancelled', 'broadcast'] as const
export const PARTICIPANTS = `${ROOM_GROUPS[0]}:`

/**
 * `group::` asks for the head of each field of a group, which is its first line. The head of `group:x` is then called `group::x`. No field
 * has such a name itself.
 */
export const HEADS = ':'

/** What asks for all fields of a group: its name and a colon, after LASTING if they last. */
export const isGroup = (name: string): boolean => /^\+?[a-z]+::?$/.test(name)

/** Which names a list of names and groups asks for. */
export function isAskedBy(fields: readonly string[]): (name: string) => boolean {
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
 * A device in a room, from its field. The head is a Recipient, in which `since` is null until the field is written again: the commit that
 * wrote the field is then the one that let the device in.
 */
export function toRecipient({ version, value }: Pick<Field, 'version' | 'value'>): Recipient {
  const recipient = JSON.parse(headOf(value)) as Omit<Recipient, 'since'> & { readonly since: number | null }
  return { ...recipient, since: recipient.since ?? version }
}

export interface RoomSnapshot {
  /** Of the room: it counts every commit. 0 when the room has gone and only lasting fields are left. */
  readonly version: number
  /** Those of the fields asked for that exist, by name. */
  readonly fields: ReadonlyMap<string, Field>
  /** How many devices are in. */
  readonly participantCount: number
  /** Every commit up to this version has been published to everybody it concerns. */
  readonly publishedVersion: number
}

/** One line of the room's log, under an id its author chose: a retry is told from a new line by it. */
export interface NewLogEntryBase {
  readonly id: string
  readonly value: string
}

export interface NewLogEntry extends NewLogEntryBase {
  /** So many lines are kept; older ones, and what is known of their ids, go: with the commit, or if it `holds` them with trimLog. */
  readonly keep: number
  readonly keepsExcess?: boolean
}

export interface RoomCommit {
  /** What the decision read: the commit that wrote each field, null for one that was absent. */
  readonly reads: Readonly<Record<string, Stamp | null>>
  /** null takes a field away. */
  readonly writes: Readonly<Record<string, string | null>>
  /** No new field of MEMBERS beyond this many. */
  readonly participantsMax: number
  readonly logEntry?: NewLogEntry
  /** What it leaves in the fan-out log. A user whom an item names gets it, in the room or not. */
  readonly items: readonly OutboxItem[]
  readonly tag: string
  /** The room wants to be looked at by then. Brings an existing deadline forward, never back. */
  readonly deadlineAt: number | null
  /** The same, if no device is in after this commit. */
  readonly emptyDeadlineAt: number
  /** The room is over: its timer stops, and it goes this long after everything was published. Null: it lives (again). */
  readonly expireInMs: number | null
  /** The node that commits: it gets the fan-out lease if something waits and no other node has it. */
  readonly node: string
  readonly now: number
}

export type RoomCommitResult =
  /**
   * `fanoutLease`: something waits and this node has the lease, so it must start publishing (see Fanouts); else nothing waits, or
   * another node is publishing and finds this commit as well. `excess`: the lines beyond those that are kept, if there are any.
   */
  | {
      readonly status: 'ok'
      readonly version: number
      readonly fanoutLease: boolean
      readonly excess?: readonly LogEntry[]
    }
  /** Something that was read has changed; nothing was written. */
  | { readonly status: 'conflict' }
  /** There are as many devices in the room, or as many lasting fields, as may be; nothing was written. */
  | { readonly status: 'full'; readonly of: 'participants' | 'lasting' }
  /** The line is in the log already, since `version`; nothing was written. */
  | { readonly status: 'known'; readonly version: number }

/** A line as it stands in the log: `version` orders the log and never changes. */
export interface LogEntry extends NewLogEntryBase {
  readonly version: number
}

export interface Rooms {
  /** Null when there is no such room, nor a lasting field of one. `group:` stands for all fields of a group, `group::` for their heads. */
  load(roomId: string, fields: readonly string[] | 'all'): Promise<RoomSnapshot | null>
  commit(roomId: string, commit: RoomCommit): Promise<RoomCommitResult>
  /** Brings the deadline of a room forward to `at`; never back, and never creates one. */
  bringForward(roomId: string, at: number): Promise<void>
  /**
   * Whoever claimed the room has looked and wants it looked at again `at`, be that before or after its hold ends. If anybody else
   * wanted a look since the claim (a commit with a deadline, bringForward), by whenever, the deadline is only brought forward.
   */
  settleClaim(roomId: string, options: { claimedUntil: number; at: number }): Promise<void>
  /**
   * Lines before or after a version (both exclusive), at most `limit`, the nearest ones, oldest first. Nearest to `after` when
   * both are given; the newest lines when none is.
   */
  log(roomId: string, options: { before?: number; after?: number; limit: number }): Promise<readonly LogEntry[]>
  /** The line and all before it go, and what is known of their ids. Idempotent. Nothing goes if this very line is not there. */
  trimLog(roomId: string, upTo: Pick<LogEntry, 'version' | 'id'>): Promise<void>
}

/**
 * Which rooms ring for a user, kept with the user: a device that comes late is looked up here. What is listed may have ended
 * meanwhile, the room knows; what rings is always listed.
 */
export interface Invitations {
  /** Idempotent. Listed until then, or until later if it was added so. */
  add(user: string, roomId: string, options: { until: number; now: number }): Promise<void>
  list(user: string, now: number): Promise<readonly string[]>
}

/** A device in a room, and as whom. */
export type Participation = Omit<Recipient, 'since'>

/** Which rooms a user's devices are in, kept with the user: a device that comes or goes is looked up here. */
export interface Membership extends Participation {
  readonly roomId: string
  /** When it was added. */
  readonly at: number
}

export interface Memberships {
  /**
   * Idempotent. A device is in a room as one participant: the last one that was added. False, and nothing is written: the device is
   * in `max` other rooms.
   */
  add(participation: Participation, roomId: string, options: { max: number; now: number }): Promise<boolean>
  /** Idempotent. Changes nothing if the device is in the room as another participant by now. */
  remove(participation: Participation, roomId: string): Promise<void>
  /** Of one device, or of all. */
  list(user: string, device?: string): Promise<readonly Membership[]>
}

/** A user's memberships go when none was added or listed for this long: rooms and their checks remove them much earlier. */
export const MEMBERSHIPS_MS = 7 * 24 * 3_600_000
