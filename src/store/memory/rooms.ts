// Rooms in memory: one object for each room.
import type { Clock } from '../../clock.js'
import { isSameStamp } from '../aggregate.js'
import { earlierDeadline, wholeMs } from '../claim-marker.js'
import { FANOUT_LEASE_MS } from '../fanout.js'
import {
  type Field,
  HEADS,
  HIDDEN_PARTICIPANTS,
  headOf,
  LASTING,
  LASTING_MAX,
  LASTING_MS,
  type LogEntry,
  PARTICIPANTS,
  type RoomCommit,
  type RoomCommitResult,
  type Rooms,
  requestFilter,
  toRecipient
} from '../rooms.js'
import { ExpiringMap } from './expiring-map.js'
import type { FanoutLog, FanoutSource } from './fanout.js'
import type { TimerIndex } from './timer-index.js'
import type { MemoryWebhookQueues } from './webhook-queues.js'

type Fields = Map<string, Field>

interface Room extends FanoutLog {
  version: number
  readonly fields: Fields
  /** The fields that outlive the room. */
  lasting: Fields
  /** The room log by id, oldest first. */
  readonly logEntries: Map<string, LogEntry>
  /** Set when the room is over: it expires this long after its fan-out log is empty. Null: it does not expire. */
  expireInMs: number | null
  expiresAt: number
}

function newRoom(id: string, lasting: Fields): Room {
  const ref = { kind: 'room', id } as const
  const nothing = { pending: [], lease: null, expireInMs: null, expiresAt: Infinity }
  return { ref, version: 0, fields: new Map(), lasting, logEntries: new Map(), ...nothing }
}

/** The heads of a group; `heads` is its name with `::`. */
const headsIn = (fields: readonly (readonly [string, Field])[], heads: string) =>
  fields.flatMap(([name, field]) => {
    const group = heads.slice(0, -HEADS.length)
    if (!name.startsWith(group)) return []
    return [[heads + name.slice(group.length), { ...field, value: headOf(field.value) }] as const]
  })

const isLasting = (name: string) => name.startsWith(LASTING)

const fieldsIn = ({ fields }: Room, group: string): Field[] =>
  [...fields].flatMap(([name, field]) => (name.startsWith(group) ? [field] : []))
const participantsOf = (room: Room): Field[] => fieldsIn(room, PARTICIPANTS)
const recipientsOf = (room: Room): Field[] => [...participantsOf(room), ...fieldsIn(room, HIDDEN_PARTICIPANTS)]

const fieldsOf = ({ fields, lasting }: Room, name: string) => (isLasting(name) ? lasting : fields)

/** Why the commit is refused; null: it may be written. */
function checkCommit(room: Room, { reads, writes, participantsMax, logEntry }: RoomCommit): RoomCommitResult | null {
  for (const [name, stamp] of Object.entries(reads)) {
    if (!isSameStamp(fieldsOf(room, name).get(name) ?? null, stamp)) return { status: 'conflict' }
  }
  const added = Object.entries(writes).flatMap(([name, value]) =>
    value === null || fieldsOf(room, name).has(name) ? [] : [name]
  )
  const joining = added.filter(name => name.startsWith(PARTICIPANTS)).length
  if (joining > 0 && participantsOf(room).length + joining > participantsMax)
    return { status: 'full', of: 'participants' }
  const lasting = added.filter(isLasting).length
  if (lasting > 0 && room.lasting.size + lasting > LASTING_MAX) return { status: 'full', of: 'lasting' }
  const known = logEntry && room.logEntries.get(logEntry.id)
  return known ? { status: 'known', version: known.version } : null
}

/** Writes the commit. Returns the oldest log entries, if the log has more than it may keep with the new one. */
function write(room: Room, { writes, logEntry, items, tag }: RoomCommit): readonly LogEntry[] {
  const version = ++room.version
  for (const [name, value] of Object.entries(writes)) {
    if (value === null) fieldsOf(room, name).delete(name)
    else fieldsOf(room, name).set(name, { version, tag, value })
  }
  if (logEntry) room.logEntries.set(logEntry.id, { id: logEntry.id, value: logEntry.value, version })
  const excess = logEntry
    ? [...room.logEntries.values()].slice(0, Math.max(0, room.logEntries.size - logEntry.keep))
    : []
  if (!logEntry?.keepsExcess) for (const { id } of excess) room.logEntries.delete(id)
  if (items.length > 0) room.pending = [...room.pending, { version, tag, items }]
  return excess
}

interface MemoryRooms extends Rooms {
  readonly fanout: FanoutSource
  size(): number
  sweep(now: number): void
}

interface Parts {
  readonly clock: Clock
  readonly timers: TimerIndex
  readonly webhookQueues: Pick<MemoryWebhookQueues, 'queueCommit'>
}

export function createMemoryRooms({ clock, timers, webhookQueues }: Parts): MemoryRooms {
  const { deadlines, waiting } = timers
  const rooms = new Map<string, Room>()
  const lastings = new ExpiringMap<Fields>(clock)

  function find(id: string): Room | undefined {
    const found = rooms.get(id)
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function keepLasting(id: string, lasting: Fields): void {
    if (lasting.size > 0) lastings.set(id, lasting, clock.now() + LASTING_MS)
    else lastings.delete(id)
  }

  function bringForward(room: Room, at: number | null): void {
    if (at !== null) deadlines.set(room, earlierDeadline(deadlines.get(room) ?? Infinity, at))
  }

  function schedule(room: Room, { items, deadlineAt, emptyDeadlineAt, expireInMs, now }: RoomCommit): void {
    if (items.length > 0 && !waiting.has(room)) waiting.set(room, now)
    room.expireInMs = expireInMs
    expireIfPublished(room)
    if (expireInMs !== null) return void deadlines.delete(room)
    bringForward(room, deadlineAt)
    if (participantsOf(room).length === 0) bringForward(room, emptyDeadlineAt)
  }

  function expireIfPublished(room: Room | undefined): void {
    if (!room) return
    const isOver = room.expireInMs !== null && room.pending.length === 0
    room.expiresAt = isOver ? clock.now() + (room.expireInMs ?? 0) : Infinity
  }

  return {
    fanout: {
      find,
      recipients(id) {
        const room = find(id)
        return room ? recipientsOf(room).map(toRecipient) : []
      },
      drained: ({ ref }) => expireIfPublished(rooms.get(ref.id))
    },
    async load(id, names) {
      const room = find(id)
      const all = [...(room?.fields ?? []), ...(lastings.get(id) ?? [])]
      if (!room && all.length === 0) return null
      const isAsked = names === 'all' ? () => true : requestFilter(names)
      const heads = names === 'all' ? [] : names.filter(name => name.endsWith(`:${HEADS}`))
      const fields = new Map([...all.filter(([name]) => isAsked(name)), ...heads.flatMap(group => headsIn(all, group))])
      const [unpublished] = room?.pending ?? []
      const publishedVersion = unpublished ? unpublished.version - 1 : (room?.version ?? 0)
      return {
        version: room?.version ?? 0,
        fields,
        participantCount: room ? participantsOf(room).length : 0,
        publishedVersion
      }
    },
    async commit(id, commit) {
      const lasting = lastings.get(id) ?? new Map()
      const room = find(id) ?? newRoom(id, lasting)
      room.lasting = lasting
      const refusal = checkCommit(room, commit)
      if (refusal) return refusal
      const { node, now } = commit
      rooms.set(id, room)
      const excess = write(room, commit)
      keepLasting(id, lasting)
      schedule(room, commit)
      const waits = room.pending.length > 0
      if (waits && (room.lease?.until ?? 0) <= now) room.lease = { node, until: now + FANOUT_LEASE_MS }
      const fanoutLease = waits && room.lease?.node === node
      const dropped = excess.length > 0 ? { excess } : {}
      const queued = webhookQueues.queueCommit({ kind: 'room', id }, { ...commit, version: room.version })
      return { status: 'ok', version: room.version, fanoutLease, ...dropped, ...queued }
    },
    async bringForward(id, at) {
      const room = find(id)
      if (room && deadlines.has(room)) bringForward(room, at)
    },
    async settleClaim(id, { claimedUntil, at }) {
      const room = find(id)
      const before = room && deadlines.get(room)
      if (room && before !== undefined)
        deadlines.set(room, before === claimedUntil ? wholeMs(at) : earlierDeadline(before, at))
    },
    async log(id, { before = Infinity, after, limit }) {
      const logEntries = [...(find(id)?.logEntries.values() ?? [])]
      const asked = logEntries.filter(({ version }) => version < before && version > (after ?? 0))
      return after === undefined ? asked.slice(-limit) : asked.slice(0, limit)
    },
    async trimLog(id, upTo) {
      const logEntries = find(id)?.logEntries
      if (logEntries?.get(upTo.id)?.version !== upTo.version) return
      for (const logEntry of logEntries.values()) if (logEntry.version <= upTo.version) logEntries.delete(logEntry.id)
    },
    size: () => rooms.size + lastings.size,
    sweep(now) {
      lastings.sweep(now)
      for (const [id, room] of rooms) {
        if (room.expiresAt > now) continue
        rooms.delete(id)
        timers.remove(room)
      }
    }
  }
}
