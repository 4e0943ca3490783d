// The answers of the room service, cached in the store for all nodes. If an answer is missing or no longer fresh, one request of one node
// asks the service and the others wait for its answer (single flight). The user of that request is charged, see room-service.ts. An old
// answer is served while the service fails (stale-if-error).
import type { LRUCache } from 'lru-cache'
import { askRoomService } from '../../adapters/room-service.js'
import { wait } from '../../clock.js'
import { AppError } from '../../errors.js'
import type { RoomDefinition } from '../../schemas/room-service.js'
import type { CachedAnswer } from '../../store/cached-answers.js'
import { type Context, perContext } from '../context.js'
import { createLeastRecentlyUsed } from '../least-recently-used.js'
import { checkMetadata } from '../metadata-bounds.js'

/** For this long an answer is fresh: it is served without asking. */
const FRESH_MS = 3_600_000
/** The same for the answer that there is no such room. Short, because the room may be created at any moment. */
const UNKNOWN_FRESH_MS = 10_000
/** For this long an old answer is served while the service fails. */
const STALE_IF_ERROR_MS = 24 * 3_600_000
/** After a failure, this node does not ask again for this long if it has an old answer. */
const BACKOFF_MS = 10_000
/** A node that asks writes its answer at most this long after the service's time limit, or it has died. */
const MARGIN_MS = 500
/** How often a waiting request looks for the answer of another node. */
const POLL_MS = 20

interface ServiceAnswer {
  /** When the service was asked, or pushed the room. */
  readonly at: number
  /** Null: the service knows no such room. */
  readonly room: RoomDefinition | null
}

export interface ServiceLookup {
  readonly roomId: string
  /** Called before the service is asked. What it throws ends the lookup. */
  readonly charge: () => Promise<void>
  /** Applies a new answer to the room. Called by the node that cached the answer, before the answer is returned. */
  readonly apply: (room: RoomDefinition | null) => Promise<void>
}

/** The lookups of this node, by room. */
interface Lookups {
  readonly inFlight: Map<string, Promise<RoomDefinition | null>>
  readonly failedAt: LRUCache<string, number>
}

const lookupsOf = perContext<Lookups>(() => ({ inFlight: new Map(), failedAt: createLeastRecentlyUsed(10_000) }))

/** Null: the service knows no such room. @throws AppError room_service_unavailable, rate_limited */
export async function findServiceRoom(context: Context, lookup: ServiceLookup): Promise<RoomDefinition | null> {
  const { roomId, charge } = lookup
  const now = context.clock.now()
  const cached = await context.store.cachedAnswers.get(roomId)
  const answer = parseAnswer(cached)
  const age = now - (answer?.at ?? Number.NEGATIVE_INFINITY)
  if (answer && age < (answer.room ? FRESH_MS : UNKNOWN_FRESH_MS)) return answer.room
  const { inFlight, failedAt } = lookupsOf(context)
  const stale = answer?.room && age < STALE_IF_ERROR_MS ? answer.room : null
  if (stale && now - (failedAt.get(roomId) ?? Number.NEGATIVE_INFINITY) < BACKOFF_MS) return stale
  if (!stale && !inFlight.has(roomId)) await charge()
  const asked = inFlight.get(roomId) ?? askOnce(context, lookup, cached).finally(() => inFlight.delete(roomId))
  inFlight.set(roomId, asked)
  try {
    return await asked
  } catch (error) {
    if (stale) return stale
    throw error
  }
}

/** Null: nothing is cached, or the answer was dropped (an empty value). */
const parseAnswer = (cached: CachedAnswer | null): ServiceAnswer | null =>
  cached === null || cached.value === '' ? null : JSON.parse(cached.value)

const lockOf = (roomId: string) => `asked\n${roomId}`

/**
 * One node at a time asks, under a lock: an empty cached answer under an id with a line break in it, which no room has. The other nodes wait for the lock or for a new answer. If neither comes in time, because the service or the asking node failed,
 * they ask without the lock.
 */
async function askOnce(context: Context, lookup: ServiceLookup, before: CachedAnswer | null) {
  const { store, clock, config, ids } = context
  const { roomId } = lookup
  const lock = { tag: ids.unique(), value: '' }
  const keepMs = config.roomServiceTimeoutMs + MARGIN_MS
  const giveUpAt = clock.now() + keepMs
  let hasLock = await store.cachedAnswers.put(lockOf(roomId), lock, { keepMs, ifTag: null })
  let cached = await store.cachedAnswers.get(roomId)
  while (!hasLock && cached?.tag === before?.tag && clock.now() < giveUpAt) {
    await wait(clock, POLL_MS)
    hasLock = await store.cachedAnswers.put(lockOf(roomId), lock, { keepMs, ifTag: null })
    cached = await store.cachedAnswers.get(roomId)
  }
  try {
    const answer = cached?.tag === before?.tag ? null : parseAnswer(cached)
    return answer ? answer.room : await ask(context, lookup, cached)
  } finally {
    if (hasLock) await store.cachedAnswers.put(lockOf(roomId), lock, { keepMs: 0, ifTag: lock.tag })
  }
}

/** Asks the service, caches its answer unless another one was cached meanwhile, and applies it. */
async function ask(
  context: Context,
  { roomId, apply }: ServiceLookup,
  before: CachedAnswer | null
): Promise<RoomDefinition | null> {
  const { config, metrics, log, clock, ids, store } = context
  const at = clock.now()
  let room: RoomDefinition | null
  try {
    room = await askRoomService(config, roomId)
    checkMetadata(room?.metadata)
  } catch (cause) {
    metrics.roomServiceAnswers.inc({ outcome: 'failed' })
    log.warn({ err: cause, roomId }, 'the room service did not answer')
    lookupsOf(context).failedAt.set(roomId, at)
    throw new AppError('room_service_unavailable', { cause })
  }
  metrics.roomServiceAnswers.inc({ outcome: room ? 'known' : 'unknown' })
  const keepMs = room ? STALE_IF_ERROR_MS : UNKNOWN_FRESH_MS
  const isCached = await store.cachedAnswers.put(roomId, toCachedAnswer(ids.unique(), { at, room }), {
    keepMs,
    ifTag: before?.tag ?? null
  })
  if (isCached) {
    await apply(room)
    return room
  }
  // Pushed, dropped or cached by another node while this one was asking, so this answer may be the older one.
  const newer = parseAnswer(await store.cachedAnswers.get(roomId))
  return newer ? newer.room : room
}

const toCachedAnswer = (tag: string, answer: ServiceAnswer): CachedAnswer => ({ tag, value: JSON.stringify(answer) })

/** Caches a room that the service has pushed. */
export async function cacheAnswer({ store, ids, clock }: Context, roomId: string, room: RoomDefinition): Promise<void> {
  const answer = toCachedAnswer(ids.unique(), { at: clock.now(), room })
  await store.cachedAnswers.put(roomId, answer, { keepMs: STALE_IF_ERROR_MS })
}

/**
 * Replaces the cached answer with an empty one, so that the next request asks the service. The empty one is kept longer than a lookup
 * takes: a lookup that is in flight finds another tag and does not cache its answer.
 */
export async function dropAnswer({ store, ids, config }: Context, roomId: string): Promise<void> {
  const keepMs = 2 * (config.roomServiceTimeoutMs + MARGIN_MS)
  await store.cachedAnswers.put(roomId, { tag: ids.unique(), value: '' }, { keepMs })
}
