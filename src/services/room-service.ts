// What the room service knows, read through a copy that all nodes share. However many ask at once, at however many nodes, the service
// is asked once; when it fails, an old copy is better than none.
import { LRUCache } from 'lru-cache'
import { askRoomService } from '../adapters/room-service.js'
import { wait } from '../clock.js'
import { adopt, adoptRoles, partsOfRoles, settingsOf, withRoles } from '../domain/room-service.js'
import { type Known, PART } from '../domain/room-state.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { ServiceRoom } from '../schemas/room-service.js'
import type { Copy } from '../store/copies.js'
import type { Context } from './context.js'
import { checkMetadata } from './metadata.js'
import { changeRoom, type ReadRoom } from './room-commit.js'

const FRESH_MS = 3_600_000
/** A room that the service does not know may be made at any moment. */
const UNKNOWN_MS = 10_000
/** While the service fails, its word is believed for so long. */
const STALE_MS = 24 * 3_600_000
/** With a copy at hand, a service that failed is left alone for so long: nobody waits for its silence again and again. */
const REST_MS = 10_000

/** What a copy says: when it was made; null: the service knows no such room. Dropped copies say nothing. */
interface Word {
  readonly at: number
  readonly room: ServiceRoom | null
}

interface Asking {
  readonly underway: Map<string, Promise<ServiceRoom | null>>
  readonly failedAt: LRUCache<string, number>
}

/** A node that asks has an answer soon after the service's time is over, or has died. */
const SPARE_MS = 500
const LOOK_AGAIN_MS = 20

const askings = new WeakMap<Context, Asking>()

/** Null: it knows no such room. @throws AppError room_service_unavailable */
async function lookUp(context: Context, url: string, roomId: string): Promise<ServiceRoom | null> {
  const copy = await context.store.copies.get(roomId)
  const word = wordOf(copy)
  const age = context.clock.now() - (word?.at ?? Number.NEGATIVE_INFINITY)
  if (word && age < (word.room ? FRESH_MS : UNKNOWN_MS)) return word.room
  const { underway, failedAt } = askingOf(context)
  const old = word?.room && age < STALE_MS ? word.room : null
  if (old && context.clock.now() - (failedAt.get(roomId) ?? Number.NEGATIVE_INFINITY) < REST_MS) return old
  const asked = underway.get(roomId) ?? askInTurn(context, url, roomId, copy).finally(() => underway.delete(roomId))
  underway.set(roomId, asked)
  try {
    return await asked
  } catch (error) {
    if (old) return old
    throw error
  }
}

const wordOf = (copy: Copy | null): Word | null => (copy === null || copy.value === '' ? null : JSON.parse(copy.value))

/**
 * One node at a time asks, and the others wait for the copy it makes. If it makes none in time, because the service failed it or it
 * died, whoever waited asks. The mark that it asks is a copy of nothing, under a name that no room has.
 */
async function askInTurn(context: Context, url: string, roomId: string, copy: Copy | null) {
  const { store, clock, config, ids } = context
  const mark = { tag: ids.unique(), value: '' }
  const keepMs = config.roomServiceTimeoutMs + SPARE_MS
  const giveUpAt = clock.now() + keepMs
  let isOurs = await store.copies.put(`asked:${roomId}`, mark, { keepMs, over: null })
  let found = await store.copies.get(roomId)
  while (!isOurs && found?.tag === copy?.tag && clock.now() < giveUpAt) {
    await wait(clock, LOOK_AGAIN_MS)
    isOurs = await store.copies.put(`asked:${roomId}`, mark, { keepMs, over: null })
    found = await store.copies.get(roomId)
  }
  try {
    const word = found?.tag === copy?.tag ? null : wordOf(found)
    return word ? word.room : await ask(context, url, roomId, found)
  } finally {
    if (isOurs) await store.copies.put(`asked:${roomId}`, mark, { keepMs: 0, over: mark.tag })
  }
}

async function ask(context: Context, url: string, roomId: string, copy: Copy | null): Promise<ServiceRoom | null> {
  const { config, metrics, log, clock, ids, store } = context
  const at = clock.now()
  let room: ServiceRoom | null
  try {
    room = await askRoomService(url, config, roomId)
  } catch (cause) {
    metrics.roomServiceAnswers.inc({ outcome: 'failed' })
    log.warn({ err: cause, roomId }, 'the room service did not answer')
    askingOf(context).failedAt.set(roomId, at)
    throw new AppError('room_service_unavailable', { cause })
  }
  metrics.roomServiceAnswers.inc({ outcome: room ? 'known' : 'unknown' })
  const word: Word = { at, room }
  const isKept = await store.copies.put(roomId, copyOf(ids.unique(), word), {
    keepMs: STALE_MS,
    over: copy?.tag ?? null
  })
  if (isKept && room) await changeRoles(context, roomId, room)
  if (isKept) return room
  // Pushed or dropped meanwhile, or asked for by another node: this answer may be the older one.
  const newer = wordOf(await store.copies.get(roomId))
  return newer ? newer.room : room
}

const copyOf = (tag: string, word: Word): Copy => ({ tag, value: JSON.stringify(word) })

/** For a room that is about to be made. @throws AppError room_not_found, room_service_unavailable */
export async function knownSettings(context: Context, roomId: string): Promise<Known | null> {
  const { roomServiceUrl, roomMaxParticipants } = context.config
  if (roomServiceUrl === null) return {}
  const room = await lookUp(context, roomServiceUrl, roomId)
  return room && settingsOf(room, roomMaxParticipants)
}

/** The actor with what the service lets them do in this room. @throws AppError room_service_unavailable */
export async function actorIn(context: Context, actor: Actor, roomId: string): Promise<Actor> {
  const { roomServiceUrl } = context.config
  if (roomServiceUrl === null || actor.rooms !== undefined) return actor
  const room = await lookUp(context, roomServiceUrl, roomId)
  return room ? withRoles(actor, roomId, room) : actor
}

/** The service tells of a change before it is asked; people in the room hear of it. */
export async function pushRoom(context: Context, roomId: string, room: ServiceRoom): Promise<void> {
  checkMetadata(room.metadata)
  const { store, ids, clock, config } = context
  await store.copies.put(roomId, copyOf(ids.unique(), { at: clock.now(), room }), { keepMs: STALE_MS })
  const known = settingsOf(room, config.roomMaxParticipants)
  await changeRoom(context, roomId, [PART.settings], parts => adopt(parts, known))
  await changeRoles(context, roomId, room)
}

/** Of those in the room: they hear of it before the next of them does anything. A crowd takes several commits. */
async function changeRoles(context: Context, roomId: string, room: ServiceRoom): Promise<void> {
  for (let isDone = false; !isDone; ) {
    let named: readonly string[] = []
    const parts = (whole: ReadRoom) => {
      named = partsOfRoles(whole, room)
      return named
    }
    const namedIn = { read: [PART.settings, PART.members], parts }
    const { decision } = await changeRoom(context, roomId, namedIn, parts => adoptRoles(parts, room, named))
    isDone = decision.events.length === 0
  }
}

/** The next one to need it asks the service again; an answer that is under way now is not kept. */
export async function dropRoom({ store, ids }: Context, roomId: string): Promise<void> {
  await store.copies.put(roomId, { tag: ids.unique(), value: '' }, { keepMs: STALE_MS })
}

function askingOf(context: Context): Asking {
  const known = askings.get(context)
  if (known) return known
  const fresh: Asking = { underway: new Map(), failedAt: new LRUCache({ max: 10_000 }) }
  askings.set(context, fresh)
  return fresh
}
