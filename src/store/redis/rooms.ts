// Rooms in Redis: a state hash with a field for each part (`f:<name>` → version:tag|JSON), a hash of each group of fields, a hash of the
// fields that outlive the room, an outbox stream with one entry a commit, a log stream with its ids beside it, and a place in the two
// indexes.

import { wholeMs } from '../claim-marker.js'
import { FANOUT_LEASE_MS } from '../fanout.js'
import {
  type Field,
  isAskedBy,
  isGroup,
  LASTING,
  LASTING_MAX,
  LASTING_MS,
  ROOM_GROUPS,
  type RoomCommit,
  type Rooms
} from '../rooms.js'
import type { RunCommand } from './clients.js'
import { roomKeys } from './keys.js'
import { commitRoom, loadRoom, rescheduleRoom, type StreamEntry, trimLog } from './scripts.js'
import { formatStamp, parseStamp } from './stamp.js'
import type { Topology } from './topology.js'

const FIELD = 'f:'

/** How a field is called in its hash. The state hash has fields of its own beside the room's. */
function toHashField(name: string): string {
  if (name.startsWith(LASTING) || isGrouped(name)) return name
  // A group that is not kept apart lies among all others.
  return isGroup(name) ? FIELD : FIELD + name
}

const isGrouped = (name: string) => ROOM_GROUPS.some(group => name.startsWith(`${group}:`))

/** The name of a field of the room; null for one of the state hash's own. */
function toFieldName(spelled: string): string | null {
  if (spelled.startsWith(LASTING) || isGrouped(spelled)) return spelled
  return spelled.startsWith(FIELD) ? spelled.slice(FIELD.length) : null
}

function toFields(found: Iterable<readonly [name: string, text: string | null | undefined]>): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const [spelled, text] of found) {
    const name = toFieldName(spelled)
    if (text && name !== null) fields.set(name, parseField(text))
  }
  return fields
}

export function parseField(text: string): Field {
  const bar = text.indexOf('|')
  return { ...parseStamp(text.slice(0, bar)), value: text.slice(bar + 1) }
}

/** What HGETALL replies in a script: keys and values in turn. */
function* pairs(flat: readonly (string | null)[]): Generator<readonly [string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i] ?? '', flat[i + 1] ?? '']
}

/** `<version>-0`, with the fields i (id), l (log entry). */
const toLogged = ([id, fields]: StreamEntry) => ({
  version: Number.parseInt(id, 10),
  id: fields[1] ?? '',
  value: fields[3] ?? ''
})

function commitArguments(commit: RoomCommit) {
  const { logEntry, items, now } = commit
  const reads = Object.entries(commit.reads)
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
    ...reads.flatMap(([field, stamp]) => [toHashField(field), formatStamp(stamp)]),
    ...Object.entries(commit.writes).flatMap(([field, value]) => [toHashField(field), value ?? ''])
  ]
}

export function createRedisRooms(runCommand: RunCommand, topology: Pick<Topology, 'isOneServer'>): Rooms {
  const keysOf = (roomId: string) => roomKeys(roomId, topology.isOneServer())
  return {
    async load(roomId, fields) {
      const { state, outbox, lasting, details, groups } = keysOf(roomId)
      const keys = [state, outbox, lasting, details, ...groups]
      // The version is read in any case; asked for by name it makes a list that is never empty, which would mean all.
      const names = fields === 'all' ? [] : ['v', ...fields.map(toHashField)]
      const reply = await loadRoom(runCommand, keys, names)
      if (reply[0] === 'NONE') return null
      const [, version, participantCount, from, found] = reply
      const isAsked = fields === 'all' ? () => true : isAskedBy(fields)
      const asked = [...toFields(pairs(found))].filter(([name]) => isAsked(name))
      return {
        version,
        fields: new Map(asked),
        participantCount,
        publishedVersion: from === '' ? version : Number.parseInt(from, 10) - 1
      }
    },
    async commit(roomId, commit) {
      const { state, outbox, timers, pending, log, logIds, lasting, details, groups } = keysOf(roomId)
      const keys = [outbox, timers, pending, lasting, state, log, logIds, details, ...groups]
      const reply = await commitRoom(runCommand, keys, commitArguments(commit))
      if (reply[0] === 'CONFLICT') return { status: 'conflict' }
      if (reply[0] === 'FULL') return { status: 'full', of: reply[1] }
      if (reply[0] === 'KNOWN') return { status: 'known', version: reply[1] }
      const [, version, leased, excess] = reply
      const beyond = excess.length > 0 ? { excess: excess.map(toLogged) } : {}
      return { status: 'ok', version, fanoutLease: leased === 1, ...beyond }
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
        return (await runCommand(client => client.xrange(log, first, last, 'COUNT', limit))).map(toLogged)
      }
      return (await runCommand(client => client.xrevrange(log, last, first, 'COUNT', limit))).map(toLogged).reverse()
    },
    async trimLog(roomId, { version, id }) {
      const { log, logIds } = keysOf(roomId)
      await trimLog(runCommand, [log, logIds], [version, id])
    }
  }
}
