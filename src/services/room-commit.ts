// The loop that changes a room: read the parts a rule looks at → decide → commit if they still hold → else again on what stands.
import { wait } from '../clock.js'
import type { Config } from '../config.js'
import { PART, type RoomDecision, type RoomEvent, type RoomParts } from '../domain/room-state.js'
import { AppError } from '../errors.js'
import type { Stamp } from '../store/aggregate.js'
import type { Logged, RoomCommit, RoomItem, RoomSnapshot } from '../store/rooms.js'
import type { Context } from './context.js'
import { checkEveryMs } from './times.js'

export interface ReadRoom extends RoomParts {
  readonly version: number
  readonly pendingFrom: number | null
  /** The version that wrote a part; 0 if it is not there. */
  since(part: string): number
  /** The commit that wrote a part; null if it is not there. */
  stampOf(part: string): Stamp | null
  /** All parts that were read whose name begins so, by the rest of their name. */
  list<T>(prefix: string): readonly (readonly [rest: string, part: T])[]
}

export interface Changed<D extends RoomDecision = RoomDecision> {
  readonly decision: D
  /** As it was read for the decision. */
  readonly room: ReadRoom
  readonly version: number
  /** The decision's line is in the log already, since this version; nothing was written. */
  readonly known: boolean
  /** Lines that are too many with the decision's. */
  readonly excess: readonly Logged[]
}

/** Lost races are other people's commits of the very same parts: rare, however many are in the room. */
const ATTEMPTS_MAX = 32
const LOOK_AGAIN_MS = 10
const ROUNDS_MAX = 300

export async function readRoom(context: Context, roomId: string, parts: readonly string[] | 'all'): Promise<ReadRoom> {
  return toParts(roomId, await context.store.rooms.load(roomId, parts))
}

/**
 * `decide` is called again for every race lost, so it must be pure; it may look at nothing but the parts named. Parts that only
 * the room itself can name are found in all of it, and the commit stands on them.
 * @throws AppError whatever `decide` throws; room_full, store_unavailable
 */
export async function changeRoom<D extends RoomDecision>(
  context: Context,
  roomId: string,
  named: readonly string[] | ((whole: ReadRoom) => readonly string[]),
  decide: (room: ReadRoom, now: number) => D
): Promise<Changed<D>> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const room = await readRoom(context, roomId, typeof named === 'function' ? 'all' : named)
    const parts = typeof named === 'function' ? named(room) : named
    const now = context.clock.now()
    const decision = decide(room, now)
    if (!changesSomething(decision)) return { decision, room, version: room.version, known: false, excess: [] }
    const result = await context.store.rooms.commit(roomId, toCommit(context, { room, parts, decision, now }))
    if (result.status === 'full') throw new AppError('room_full')
    if (result.status === 'conflict') continue
    const { version } = result
    if (result.status === 'known') return { decision, room, version, known: true, excess: [] }
    if (result.telling) await tell(context, roomId)
    return { decision, room, version, known: false, excess: result.excess ?? [] }
  }
  throw new AppError('store_unavailable', { detail: 'Too many others changed this at the same moment' })
}

/** Not being able to is no failure of what was committed: the sweeper will. */
export async function tell(context: Context, roomId: string): Promise<void> {
  try {
    await context.tellRoom(roomId)
  } catch (error) {
    context.log.warn({ err: error, roomId }, 'events of a room wait for the sweeper')
  }
}

/** Resolves when all that was committed up to `version` has been told. @throws AppError store_unavailable */
export async function untilTold(context: Context, room: ReadRoom, version: number): Promise<void> {
  let { pendingFrom } = room
  for (let round = 0; pendingFrom !== null && pendingFrom <= version; round++) {
    // Another node may be telling it; that takes a moment, or until it counts as dead.
    if (round > ROUNDS_MAX) throw new AppError('store_unavailable', { detail: 'Earlier events could not be told yet' })
    if (round > 0) await wait(context.clock, LOOK_AGAIN_MS)
    await tell(context, room.roomId)
    pendingFrom = (await readRoom(context, room.roomId, [])).pendingFrom
  }
}

const changesSomething = ({ writes, moves = [], events }: RoomDecision) =>
  moves.length > 0 || events.length > 0 || Object.keys(writes).length > 0

interface Decided {
  readonly room: ReadRoom
  readonly parts: readonly string[]
  readonly decision: RoomDecision
  readonly now: number
}

export function toCommit(context: Context, { room, parts, decision, now }: Decided): RoomCommit {
  const { config, ids, node } = context
  const { writes, moves = [], seatsMax, line, events, deadlineAt, over, waitsMs } = decision
  const texts = Object.entries(writes).map(([part, value]) => [part, value === null ? null : JSON.stringify(value)])
  return {
    reads: Object.fromEntries(parts.map(part => [part, room.stampOf(part)])),
    writes: Object.fromEntries(texts) as Record<string, string | null>,
    moves,
    seatsMax: seatsMax ?? Number.MAX_SAFE_INTEGER,
    ...(line ? { line: { id: line.id, value: JSON.stringify(line.value), ...keeping(config) } } : {}),
    items: events.map(event => toItem(room.roomId, event, now)),
    tag: ids.tag(),
    deadlineAt: deadlineAt ?? now + checkEveryMs(config),
    emptyDeadlineAt: now + config.roomLingerMs,
    expireInMs: over ? config.retentionMs : (waitsMs ?? null),
    node,
    now
  }
}

/** What a chat service may not have yet is not dropped by the way. */
const keeping = ({ chatHistoryMax: keep, chatServiceUrl }: Config) => ({ keep, holds: chatServiceUrl !== null })

function toItem(roomId: string, { to, type, data }: RoomEvent, now: number): RoomItem {
  const event = { type, timestamp: new Date(now).toISOString(), data: { roomId, ...data } }
  if ('all' in to) return { do: 'tell', ...(to.except === undefined ? {} : { except: to.except }), event }
  return { do: 'deliver', ...to, event }
}

function toParts(roomId: string, snapshot: RoomSnapshot | null): ReadRoom {
  const fields = snapshot?.fields ?? new Map<string, never>()
  function get<T>(part: string): T | null {
    const field = fields.get(part)
    return field ? (JSON.parse(field.value) as T) : null
  }
  return {
    roomId,
    version: snapshot?.version ?? 0,
    seats: snapshot?.seats ?? 0,
    pendingFrom: snapshot?.pendingFrom ?? null,
    settings: get(PART.settings),
    emptySince: get(PART.empty),
    get,
    since: part => fields.get(part)?.version ?? 0,
    stampOf: part => fields.get(part) ?? null,
    list<T>(prefix: string) {
      const names = [...fields.keys()].filter(name => name.startsWith(prefix))
      return names.map(name => [name.slice(prefix.length), get(name) as T] as const)
    }
  }
}
