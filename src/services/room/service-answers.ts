// The room service's answers, cached in the store for all nodes. A miss is asked once, however many wait at however many nodes
// (single flight), and is charged to the user on whose behalf it is asked (room-service.ts). A stale answer is served while the service fails.
import { LRUCache } from 'lru-cache'
import { askRoomService } from '../../adapters/room-service.js'
import { wait } from '../../clock.js'
import { AppError } from '../../errors.js'
import type { RoomDefinition } from '../../schemas/room-service.js'
import type { CachedAnswer } from '../../store/cached-answers.js'
import { type Context, perContext } from '../context.js'
import { checkMetadata } from '../metadata-bounds.js'

/** How long an answer holds. */
const FRESH_MS = 3_600_000
/** A room that the service does not know may be made at any moment. */
const UNKNOWN_MS = 10_000
/** How long an old answer serves while the service fails. */
const STALE_MS = 24 * 3_600_000
/** With an old answer at hand, a service that failed is not asked again for this long. */
const BACK_OFF_MS = 10_000
/** A node that asks has an answer soon after the service's time is over, or has died. */
const MARGIN_MS = 500
const POLL_MS = 20

/** Null: the service knows no such room. */
interface ServiceAnswer {
  readonly at: number
  readonly room: RoomDefinition | null
}

export interface ServiceLookup {
  readonly roomId: string
  /** Called when the service has to be asked. What it throws is thrown. */
  readonly charge: () => Promise<void>
  /** What a new answer means for the room. Once for each answer that is kept. */
  readonly apply: (room: RoomDefinition | null) => Promise<void>
}

interface Lookups {
  readonly inFlight: Map<string, Promise<RoomDefinition | null>>
  readonly failedAt: LRUCache<string, number>
}

const lookupsOf = perContext<Lookups>(() => ({ inFlight: new Map(), failedAt: new LRUCache({ max: 10_000 }) }))

/** Null: the service knows no such room. @throws AppError room_service_unavailable, rate_limited */
export async function findServiceRoom(context: Context, question: ServiceLookup): Promise<RoomDefinition | null> {
  const { roomId, charge } = question
  const now = context.clock.now()
  const copy = await context.store.cachedAnswers.get(roomId)
  const answer = parseAnswer(copy)
  const age = now - (answer?.at ?? Number.NEGATIVE_INFINITY)
  if (answer && age < (answer.room ? FRESH_MS : UNKNOWN_MS)) return answer.room
  const { inFlight: underway, failedAt } = lookupsOf(context)
  const old = answer?.room && age < STALE_MS ? answer.room : null
  if (old && now - (failedAt.get(roomId) ?? Number.NEGATIVE_INFINITY) < BACK_OFF_MS) return old
  if (!old && !underway.has(roomId)) await charge()
  const asked = underway.get(roomId) ?? askOnce(context, question, copy).finally(() => underway.delete(roomId))
  underway.set(roomId, asked)
  try {
    return await asked
  } catch (error) {
    if (old) return old
    throw error
  }
}

/** A dropped copy says nothing. */
const parseAnswer = (copy: CachedAnswer | null): ServiceAnswer | null =>
  copy === null || copy.value === '' ? null : JSON.parse(copy.value)

/**
 * One node at a time asks, and the others wait for its answer in the store. If there is none in time, because the service failed it
 * or it died, a node that waited asks. The mark that it asks is a copy of nothing, under a name that no room has.
 */
async function askOnce(context: Context, question: ServiceLookup, copy: CachedAnswer | null) {
  const { store, clock, config, ids } = context
  const { roomId } = question
  const mark = { tag: ids.unique(), value: '' }
  const keepMs = config.roomServiceTimeoutMs + MARGIN_MS
  const giveUpAt = clock.now() + keepMs
  let isOurs = await store.cachedAnswers.put(`asked:${roomId}`, mark, { keepMs, ifTag: null })
  let found = await store.cachedAnswers.get(roomId)
  while (!isOurs && found?.tag === copy?.tag && clock.now() < giveUpAt) {
    await wait(clock, POLL_MS)
    isOurs = await store.cachedAnswers.put(`asked:${roomId}`, mark, { keepMs, ifTag: null })
    found = await store.cachedAnswers.get(roomId)
  }
  try {
    const answer = found?.tag === copy?.tag ? null : parseAnswer(found)
    return answer ? answer.room : await ask(context, question, found)
  } finally {
    if (isOurs) await store.cachedAnswers.put(`asked:${roomId}`, mark, { keepMs: 0, ifTag: mark.tag })
  }
}

async function ask(
  context: Context,
  { roomId, apply }: ServiceLookup,
  copy: CachedAnswer | null
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
  const keepMs = room ? STALE_MS : UNKNOWN_MS
  const isKept = await store.cachedAnswers.put(roomId, toCachedAnswer(ids.unique(), { at, room }), {
    keepMs,
    ifTag: copy?.tag ?? null
  })
  if (isKept) {
    await apply(room)
    return room
  }
  // Pushed or dropped meanwhile, or asked for by another node: this answer may be the older one.
  const newer = parseAnswer(await store.cachedAnswers.get(roomId))
  return newer ? newer.room : room
}

const toCachedAnswer = (tag: string, answer: ServiceAnswer): CachedAnswer => ({ tag, value: JSON.stringify(answer) })

/** An answer that the service gave without being asked. */
export async function keepAnswer({ store, ids, clock }: Context, roomId: string, room: RoomDefinition): Promise<void> {
  await store.cachedAnswers.put(roomId, toCachedAnswer(ids.unique(), { at: clock.now(), room }), { keepMs: STALE_MS })
}

/** The next one to need it asks the service. An answer that is under way is not kept: the mark outlives it. */
export async function dropAnswer({ store, ids, config }: Context, roomId: string): Promise<void> {
  const keepMs = 2 * (config.roomServiceTimeoutMs + MARGIN_MS)
  await store.cachedAnswers.put(roomId, { tag: ids.unique(), value: '' }, { keepMs })
}
