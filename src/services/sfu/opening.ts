// Opens the media session of a room. The commit that writes `opening` decides which node asks the service, so one request is sent however many
// participants ask at once. If that node dies, another one takes over when the time it had is over.
import { wait } from '../../clock.js'
import { PART, type RoomDecision } from '../../domain/room/state.js'
import {
  failOpening,
  finishOpening,
  type NextPlacement,
  type OpeningSession,
  type OpenSession,
  placeSession,
  type SfuSession,
  sessionIn
} from '../../domain/sfu/session.js'
import { AppError } from '../../errors.js'
import { type Context, perContext } from '../context.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import { changeRoom } from '../room/update-room.js'
import { type CheckBefore, mediaServicesOf, mediaUnavailable } from './media-services.js'

/** A session without any request for this time closes itself. Each check of the room sends one. */
const IDLE_TIMEOUT_MS = 300_000
/** A session without any request for this time asks whether a room still uses it. Longer than between two checks of a room. */
const CONFIRM_AFTER_MS = 90_000
/** For each participant: far more than a client needs, and few enough that one cannot exhaust the service. */
const LIMITS = { transports: 16, producers: 32, consumers: 2000, dataProducers: 32, dataConsumers: 2000 }
/** How long the index lists a room that is not checked again. */
const LISTED_MS = 300_000
/** The owner of the rooms for which no service was up. No service has this name: theirs have a port. */
export const WAITING = 'waiting'
/** How often a request looks whether another node has opened the session. */
const POLL_MS = 25
/** Services that one request tries. */
const ATTEMPTS_MAX = 2

/** Lists the room for its service, or among those that wait for one. Called before the commit, and by each check of the room. */
export async function listRoom({ store, clock }: Context, roomId: string, owner: string): Promise<void> {
  const now = clock.now()
  await store.mediaRooms.add(owner, roomId, { until: now + LISTED_MS, now })
}

interface PlacementStep {
  readonly roomId: string
  /** Services that have failed. */
  readonly except?: ReadonlySet<string>
  readonly check?: CheckBefore
  readonly decide: (room: ReadRoom, next: NextPlacement | null, now: number) => RoomDecision
}

interface PlacedSession {
  readonly session: SfuSession | null
  /** False: the decision left the room as it was. */
  readonly isChanged: boolean
}

/** Chooses the service with the least load and commits what `decide` makes of it. Resolves to the session that the room has then. */
export async function commitPlacement(
  context: Context,
  { roomId, except, check, decide }: PlacementStep
): Promise<PlacedSession> {
  const { config, ids, node } = context
  const service = await mediaServicesOf(context).choose({ except, check })
  const sessionId = ids.unique()
  const nextAt = (now: number): NextPlacement | null =>
    service && {
      ...{ sessionId, service: service.name, instance: service.health.instance },
      ...{ placedAt: now, openingBy: node, openingUntil: now + config.mediaServiceTimeoutMs }
    }
  await listRoom(context, roomId, service?.name ?? WAITING)
  const scope = {
    roomId,
    read: [PART.settings, PART.sfu, PART.participantHeads],
    parts: [PART.settings, PART.sfu]
  }
  const { decision, room } = await changeRoom(context, scope, (read, now) => decide(read, nextAt(now), now))
  const written = decision.writes[PART.sfu] as SfuSession | undefined
  // Its service may still have it: only requests have failed, or the node that opened it has died.
  if (written !== undefined && written.sessionId !== sessionIn(room)?.sessionId) deleteSessionOf(context, room)
  return { session: written ?? sessionIn(room), isChanged: written !== undefined }
}

/** The openings of this node, by room. */
const openingsOf = perContext(() => new Map<string, Promise<OpenSession>>())

/** Resolves to the open session of the room, and opens it if there is none. @throws AppError media_unavailable */
export function openSession(context: Context, roomId: string): Promise<OpenSession> {
  const openings = openingsOf(context)
  const running = openings.get(roomId)
  if (running) return running
  const opening = placeAndOpen(context, roomId).finally(() => openings.delete(roomId))
  openings.set(roomId, opening)
  return opening
}

/** The same in the background, for a room whose session was replaced. */
export function openInBackground(context: Context, roomId: string): void {
  context.background.run(`open the media session of ${roomId}`, () =>
    openSession(context, roomId).catch(error => {
      if (!(error instanceof AppError && error.code === 'media_unavailable')) throw error
    })
  )
}

async function placeAndOpen(context: Context, roomId: string): Promise<OpenSession> {
  const { clock, config, node, background } = context
  const giveUpAt = clock.now() + config.mediaServiceTimeoutMs
  const read = async () => sessionIn(await readRoom(context, roomId, [PART.sfu]))
  for (let session = await read(); ; ) {
    if (session?.state === 'open') return session
    if (session?.state === 'opening' && session.openingBy === node) {
      session = await askService(context, roomId, session)
      continue
    }
    if (session?.state === 'opening' && session.openingUntil > clock.now()) {
      if (clock.now() >= giveUpAt || background.closing.aborted) throw mediaUnavailable()
      await wait(clock, POLL_MS, background.closing)
      session = await read()
      continue
    }
    // Sweeps recover it: the view of this node may be older than what another node has found.
    if (session?.state === 'unavailable') throw mediaUnavailable()
    session = (await commitPlacement(context, { roomId, check: 'if_none_up', decide: placeSession })).session
    if (session === null) throw mediaUnavailable()
  }
}

/**
 * This node has committed that it opens the session. If the service fails, tries another one. Resolves to the session that the room has
 * then: another one, if this one was lost meanwhile.
 */
async function askService(context: Context, roomId: string, first: OpeningSession): Promise<SfuSession | null> {
  const tried = new Set<string>()
  let session = first
  for (let attempt = 1; ; attempt++) {
    try {
      await putSession(context, roomId, session)
    } catch (error) {
      tried.add(session.service)
      const next = await afterFailure(context, roomId, { failed: session, tried, isLast: attempt === ATTEMPTS_MAX })
      if (next === null) throw mediaUnavailable(error)
      session = next
      continue
    }
    return finish(context, roomId, session)
  }
}

async function putSession(context: Context, roomId: string, { sessionId, service }: OpeningSession): Promise<void> {
  const found = mediaServicesOf(context).find(service)
  if (found === null) throw mediaUnavailable()
  // All attempts of a request together take no longer than one request may.
  const timeoutMs = context.config.mediaServiceTimeoutMs / ATTEMPTS_MAX
  const times = { idleTimeoutMs: IDLE_TIMEOUT_MS, confirmAfterMs: CONFIRM_AFTER_MS }
  const body = { roomId, service, ...times, limits: LIMITS }
  await found.client.putSession(sessionId, body, timeoutMs)
}

interface FailedOpening {
  readonly failed: OpeningSession
  readonly tried: ReadonlySet<string>
  readonly isLast: boolean
}

/** Places the session on another service, or releases it for the next request. Null: this node does not open it any more. */
async function afterFailure(
  context: Context,
  roomId: string,
  { failed, tried, isLast }: FailedOpening
): Promise<OpeningSession | null> {
  const opened = { sessionId: failed.sessionId, openingBy: context.node }
  const { session, isChanged } = await commitPlacement(context, {
    roomId,
    except: tried,
    decide: (room, next, now) => failOpening(room, { failed: opened, next: isLast ? null : next }, now)
  })
  const isReplaced = isChanged && session?.sessionId !== failed.sessionId
  // The request may have been executed, or is executed later.
  if (!isReplaced) deleteSession(context, failed)
  return isChanged && session?.state === 'opening' && session.openingBy === context.node ? session : null
}

async function finish(context: Context, roomId: string, opening: OpeningSession): Promise<SfuSession | null> {
  const { sessionId } = opening
  const scope = { roomId, parts: [PART.settings, PART.sfu] }
  const { decision, room } = await changeRoom(context, scope, read =>
    finishOpening(read, { sessionId, openingBy: context.node })
  )
  const session = (decision.writes[PART.sfu] as SfuSession | undefined) ?? sessionIn(room)
  // Lost, moved by another node, or the room has closed: what was just opened is used by no one.
  if (session?.sessionId !== sessionId) deleteSession(context, opening)
  return session
}

/** The room has no session any more. `room` is the room as it was read for that decision. */
export function deleteSessionOf(context: Context, room: Pick<ReadRoom, 'get'>): void {
  const session = sessionIn(room)
  if (session !== null && session.state !== 'unavailable') deleteSession(context, session)
}

/** In the background. Not repeated: a service that has missed it asks after CONFIRM_AFTER_MS, and closes the session then. */
export function deleteSession(
  context: Context,
  { sessionId, service }: Pick<OpenSession, 'sessionId' | 'service'>
): void {
  const client = mediaServicesOf(context).find(service)?.client
  if (!client) return
  context.background.run(`delete the media session ${sessionId} on ${service}`, () =>
    client.deleteSession(sessionId).catch(error => {
      context.log.debug({ err: error, service }, 'media session not deleted; its service will ask for it')
    })
  )
}
