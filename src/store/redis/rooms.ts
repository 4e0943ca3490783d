// Rooms in Redis: a state hash with a field for each part (`f:<name>` → version:tag|JSON), a hash for each group of fields, a hash of the
// fields that outlive the room, the fan-out log as a stream with one entry for each commit, the room log as a stream with a hash of its
// ids, and an entry in the indexes of timers and of waiting outboxes.
import { wholeMs } from '../claim-marker.js'
import { FANOUT_LEASE_MS } from '../fanout.js'
import {
  type Field,
  isGroup,
  LASTING,
  LASTING_MAX,
  LASTING_MS,
  ROOM_GROUPS,
  type RoomCommit,
  type Rooms,
  requestFilter
} from '../rooms.js'
import type { RunCommand } from './clients.js'
import { roomKeys } from './keys.js'
import { type Argument, commitRoom, loadRoom, rescheduleRoom, type StreamEntry, trimLog } from './scripts.js'
import { formatStamp, parseStamp } from './stamp.js'
import type { Topology } from './topology.js'
import { type RedisWebhookQueues, toRefused } from './webhook-queues.js'

const FIELD = 'f:'

/** The name of a field in its hash. The state hash also has fields that are no parts of the room. */
function toHashField(name: string): string {
  if (name.startsWith(LASTING) || isGrouped(name)) return name
  // Not one of ROOM_GROUPS, so not stored apart: then all parts in the state hash are asked for.
  return isGroup(name) ? FIELD : FIELD + name
}

const isGrouped = (name: string) => ROOM_GROUPS.some(group => name.startsWith(`${group}:`))

/** The inverse of toHashField. Null: not a part of the room. */
function toFieldName(hashField: string): string | null {
  if (hashField.startsWith(LASTING) || isGrouped(hashField)) return hashField
  return hashField.startsWith(FIELD) ? hashField.slice(FIELD.length) : null
}

function toFields(found: Iterable<readonly [name: string, text: string | null | undefined]>): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const [hashField, text] of found) {
    const name = toFieldName(hashField)
    if (text && name !== null) fields.set(name, parseField(text))
  }
  return fields
}

export function parseField(text: string): Field {
  const bar = text.indexOf('|')
  return { ...parseStamp(text.slice(0, bar)), value: text.slice(bar + 1) }
}

/** Reads the reply of HGETALL in a script: names and values alternate. */
function* pairs(flat: readonly (string | null)[]): Generator<readonly [string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i] ?? '', flat[i + 1] ?? '']
}

/** The id of a stream entry is `<version>-0`; its fields are i (id) and l (value). */
const toLogEntry = ([id, fields]: StreamEntry) => ({
  version: Number.parseInt(id, 10),
  id: fields[1] ?? '',
  value: fields[3] ?? ''
})

function commitArguments(commit: RoomCommit): Argument[] {
  const { logEntry, items, now } = commit
  const reads = Object.entries(commit.reads)
  const writes = Object.entries(commit.writes)
  return [
    now,
    commit.tag,
    items.length > 0 ? JSON.stringify(items) : '',
    commit.deadlineAt === null ? '' : wholeMs(commit.deadlineAt),
    wholeMs(commit.emptyDeadlineAt),
    commit.expireInMs ?? '',
    commit.node,
    Math.ceil(now + FANOUT_LEASE_MS),
    commit.participantsMax,
    LASTING_MAX,
    LASTING_MS,
    logEntry?.id ?? '',
    logEntry?.value ?? '',
    logEntry?.keep ?? '',
    logEntry?.keepsExcess ? '1' : '',
    reads.length,
    writes.length,
    ...reads.flatMap(([field, stamp]) => [toHashField(field), formatStamp(stamp)]),
    ...writes.flatMap(([field, value]) => [toHashField(field), value ?? ''])
  ]
}

interface Parts {
  readonly runCommand: RunCommand
  readonly topology: Pick<Topology, 'isOneServer'>
  readonly webhookQueues: Pick<RedisWebhookQueues, 'commitArguments'>
}

export function createRedisRooms({ runCommand, topology, webhookQueues }: Parts): Rooms {
  const keysOf = (roomId: string) => roomKeys(roomId, topology.isOneServer())
  return {
    async load(roomId, fields) {
      const { state, outbox, lasting, details, groups } = keysOf(roomId)
      const keys = [state, outbox, lasting, details, ...groups]
      // `v` keeps the list from being empty, which would mean all fields.
      const names = fields === 'all' ? [] : ['v', ...fields.map(toHashField)]
      const reply = await loadRoom(runCommand, keys, names)
      if (reply[0] === 'NONE') return null
      const [, version, participantCount, oldestUnpublished, found] = reply
      const isAsked = fields === 'all' ? () => true : requestFilter(fields)
      const asked = [...toFields(pairs(found))].filter(([name]) => isAsked(name))
      return {
        version,
        fields: new Map(asked),
        participantCount,
        publishedVersion: oldestUnpublished === '' ? version : Number.parseInt(oldestUnpublished, 10) - 1
      }
    },
    async commit(roomId, commit) {
      const { state, outbox, timers, waiting, log, logIds, lasting, details, groups } = keysOf(roomId)
      const keys = [outbox, timers, waiting, lasting, state, log, logIds, details, ...groups]
      const webhooks = webhookQueues.commitArguments({ kind: 'room', id: roomId }, commit)
      const reply = await commitRoom(runCommand, keys, [...commitArguments(commit), ...webhooks])
      if (reply[0] === 'CONFLICT') return { status: 'conflict' }
      if (reply[0] === 'FULL') return { status: 'full', of: reply[1] }
      if (reply[0] === 'KNOWN') return { status: 'known', version: reply[1] }
      const [, version, leased, excess, webhooksRefused] = reply
      const dropped = excess.length > 0 ? { excess: excess.map(toLogEntry) } : {}
      return { status: 'ok', version, fanoutLease: leased === 1, ...dropped, ...toRefused(webhooksRefused) }
    },
    async bringForward(roomId, at) {
      const { timers, state } = keysOf(roomId)
      await rescheduleRoom(runCommand, [timers], [state, wholeMs(at), ''])
    },
    async settleClaim(roomId, { claimedUntil, at }) {
      const { timers, state } = keysOf(roomId)
      await rescheduleRoom(runCommand, [timers], [state, wholeMs(at), claimedUntil])
    },
    async log(roomId, { before, after, limit }) {
      const { log } = keysOf(roomId)
      const first = after === undefined ? '-' : `${Math.max(0, after + 1)}-0`
      const last = before === undefined ? '+' : `${Math.max(0, before - 1)}-0`
      if (after !== undefined) {
        return (await runCommand(client => client.xrange(log, first, last, 'COUNT', limit))).map(toLogEntry)
      }
      return (await runCommand(client => client.xrevrange(log, last, first, 'COUNT', limit))).map(toLogEntry).reverse()
    },
    async trimLog(roomId, { version, id }) {
      const { log, logIds } = keysOf(roomId)
      await trimLog(runCommand, [log, logIds], [version, id])
    }
  }
}
