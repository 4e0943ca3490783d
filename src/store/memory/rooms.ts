// Rooms in plain maps: one object a room, which everything about it is a part of and goes with.
import type { Clock } from '../../clock.js'
import { hastened } from '../hold.js'
import {
  type Field,
  type Logged,
  type RoomCommit,
  type RoomCommitResult,
  type RoomEntry,
  type Rooms,
  type Seat,
  type SeatChange,
  TELL_WITHIN_MS
} from '../rooms.js'
import type { Agenda, Kept } from './agenda.js'

interface Room extends Kept {
  version: number
  readonly fields: Map<string, Field>
  /** By place: user/device. */
  readonly seats: Map<string, Seat & { readonly since: number }>
  /** By id, oldest first. */
  readonly lines: Map<string, Logged>
  pending: readonly RoomEntry[]
  teller: { readonly node: string; readonly until: number } | null
  /** Not null: to go this long after everything was told. */
  expireInMs: number | null
  expiresAt: number
}

function birth(id: string): Room {
  const ref = { kind: 'room', id } as const
  const nothing = { pending: [], teller: null, expireInMs: null, expiresAt: Infinity }
  return { ref, version: 0, fields: new Map(), seats: new Map(), lines: new Map(), ...nothing }
}

const placeOf = ({ user, device }: { user: string; device: string }) => `${user}/${device}`

/** Why a commit cannot be; null when it can. */
function findObstacle(room: Room, { reads, seat, seatsMax, line }: RoomCommit): RoomCommitResult | null {
  for (const [name, version] of Object.entries(reads)) {
    if ((room.fields.get(name)?.version ?? 0) !== version) return { status: 'conflict' }
  }
  if (seat && (room.seats.get(placeOf(seat))?.participantId ?? null) !== seat.from) return { status: 'conflict' }
  if (seat?.from === null && seat.to !== null && room.seats.size >= seatsMax) return { status: 'full' }
  const known = line && room.lines.get(line.id)
  return known ? { status: 'known', version: known.version } : null
}

/** The lines that are too many with the new one. */
function write(room: Room, { writes, seat, line, items, tag }: RoomCommit): readonly Logged[] {
  const version = ++room.version
  for (const [name, value] of Object.entries(writes)) {
    if (value === null) room.fields.delete(name)
    else room.fields.set(name, { version, value })
  }
  if (seat) changeSeat(room, seat)
  if (line) room.lines.set(line.id, { id: line.id, value: line.value, version })
  const excess = line ? [...room.lines.values()].slice(0, Math.max(0, room.lines.size - line.keep)) : []
  if (!line?.holds) for (const { id } of excess) room.lines.delete(id)
  if (items.length > 0) room.pending = [...room.pending, { version, tag, items }]
  return excess
}

function changeSeat({ seats, version }: Room, { user, device, from, to }: SeatChange): void {
  const place = placeOf({ user, device })
  if (to === null) seats.delete(place)
  else if (from !== to) seats.set(place, { user, device, participantId: to, since: version })
}

export function createMemoryRooms(clock: Clock, agenda: Agenda): Rooms & { sweep(now: number): void } {
  const { deadlines, waiting } = agenda
  const rooms = new Map<string, Room>()

  function find(id: string): Room | undefined {
    const found = rooms.get(id)
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function hasten(room: Room, at: number | null): void {
    if (at !== null) deadlines.set(room, hastened(deadlines.get(room) ?? Infinity, at))
  }

  function plan(room: Room, { items, deadlineAt, emptyDeadlineAt, expireInMs, now }: RoomCommit): void {
    if (items.length > 0 && !waiting.has(room)) waiting.set(room, now)
    room.expireInMs = expireInMs
    expireIfTold(room)
    if (expireInMs !== null) return void deadlines.delete(room)
    hasten(room, deadlineAt)
    if (room.seats.size === 0) hasten(room, emptyDeadlineAt)
  }

  function expireIfTold(room: Room): void {
    const over = room.expireInMs !== null && room.pending.length === 0
    room.expiresAt = over ? clock.now() + (room.expireInMs ?? 0) : Infinity
  }

  return {
    async load(id, names) {
      const room = find(id)
      if (!room) return null
      const fields = [...room.fields].filter(([name]) => names === 'all' || names.includes(name))
      const pendingFrom = room.pending[0]?.version ?? null
      return { version: room.version, fields: new Map(fields), seats: room.seats.size, pendingFrom }
    },
    async commit(id, commit) {
      const room = find(id) ?? birth(id)
      const obstacle = findObstacle(room, commit)
      if (obstacle) return obstacle
      const { node, now } = commit
      rooms.set(id, room)
      const excess = write(room, commit)
      plan(room, commit)
      const waits = room.pending.length > 0
      if (waits && (room.teller?.until ?? 0) <= now) room.teller = { node, until: now + TELL_WITHIN_MS }
      const telling = waits && room.teller?.node === node
      const beyond = excess.length > 0 ? { excess } : {}
      return { status: 'ok', version: room.version, seats: room.seats.size, telling, ...beyond }
    },
    async tell(id, { node, settled, limit, holdMs, now }) {
      const room = find(id)
      if (!room) return { status: 'idle' }
      if (room.teller && room.teller.node !== node && room.teller.until > now) return { status: 'busy' }
      const waited = room.pending.length > 0
      room.pending = room.pending.filter(({ version }) => version > settled)
      if (room.pending.length > 0) {
        room.teller = { node, until: now + holdMs }
        // Whoever tells has it in hand: it is forgotten only if nothing is heard of it from now on.
        waiting.set(room, now)
        return { status: 'entries', entries: room.pending.slice(0, limit), seats: [...room.seats.values()] }
      }
      room.teller = null
      waiting.delete(room)
      // Only who drops the last entry starts the time: asking again does not start it anew.
      if (waited) expireIfTold(room)
      return { status: 'idle' }
    },
    async hasten(id, at) {
      const room = find(id)
      if (room && deadlines.has(room)) hasten(room, at)
    },
    async rest(id, { heldUntil, at }) {
      const room = find(id)
      const before = room && deadlines.get(room)
      if (room && before !== undefined) deadlines.set(room, before === heldUntil ? at : hastened(before, at))
    },
    async log(id, { before = Infinity, after, limit }) {
      const lines = [...(find(id)?.lines.values() ?? [])]
      const asked = lines.filter(({ version }) => version < before && version > (after ?? 0))
      return after === undefined ? asked.slice(-limit) : asked.slice(0, limit)
    },
    async trimLog(id, version) {
      const lines = find(id)?.lines
      for (const line of lines?.values() ?? []) if (line.version <= version) lines?.delete(line.id)
    },
    sweep(now) {
      for (const [id, room] of rooms) {
        if (room.expiresAt > now) continue
        rooms.delete(id)
        agenda.forget(room)
      }
    }
  }
}
