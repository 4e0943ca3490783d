// Makes the media service agree with the room: it closes everything of participants who have left, and what others may not send any more, and
// pauses what the room says is paused. Sent at once after the commit, and by each check of the room: the service may have been unreachable, or
// the node that committed may have died.
import { MediaFailure, MediaRefusal, type MediaServiceClient } from '../../adapters/media-service.js'
import { PART, type ParticipantHead, type RoomUser } from '../../domain/room/state.js'
import { hasLost } from '../../domain/sfu/service-health.js'
import { mayFallBack, type OpenSession, sessionIn } from '../../domain/sfu/session.js'
import { finishSettling, pausingIn, type UnsettledMedia } from '../../domain/sfu/unsettled.js'
import type { Context } from '../context.js'
import { mediaSettlesInMs } from '../intervals.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import { changeOpenRoom } from '../room/update-room.js'
import { loseSession, recoverSession } from './lost-sessions.js'
import { mediaServicesOf } from './media-services.js'
import { listRoom, openInBackground, WAITING } from './opening.js'

/** A room with a session is checked at least this often. It keeps the session open: see IDLE_TIMEOUT_MS. */
const CHECK_MEDIA_MS = 60_000
/** Until the next attempt after one that failed. */
const RETRY_MS = 2000

const NEVER = Number.POSITIVE_INFINITY

/** Resolves to when the room must be checked again. `room` has PART.settings, PART.sfu and PART.users. */
export async function checkMedia(context: Context, room: ReadRoom, participants: readonly ParticipantHead[]) {
  const now = context.clock.now()
  const session = sessionIn(room)
  if (room.settings?.closed !== null || session === null) return NEVER
  if (session.state === 'unavailable') {
    await listRoom(context, room.roomId, WAITING)
    if (mediaServicesOf(context).isAnyUp() || mayFallBack(room)) await recoverSession(context, room.roomId)
    return now + CHECK_MEDIA_MS
  }
  await listRoom(context, room.roomId, session.service)
  if (session.state === 'open') {
    const againInMs = await keepParticipants(context, room, { session, participants })
    return Math.min(now + againInMs, settlesAt(context, room))
  }
  if (session.openingUntil > now) return session.openingUntil
  openInBackground(context, room.roomId)
  return now + RETRY_MS
}

/** When the requests of those who have left last are over. Reads PART.users. */
function settlesAt({ config, clock }: Context, room: ReadRoom): number {
  const leftAt = room.list<RoomUser>(PART.users).map(([, { left }]) => left.at(-1)?.at ?? 0)
  const at = Math.max(0, ...leftAt) + mediaSettlesInMs(config)
  return at > clock.now() ? at : NEVER
}

/** The same in the background, right after a participant has left or lost a grant. */
export function closeMediaOfFormer(context: Context, roomId: string): void {
  if (mediaServicesOf(context).list().length === 0) return
  context.background.runAgain(`close media in ${roomId}`, async () => {
    const groups = [PART.participantHeads, PART.hiddenHeads]
    const room = await readRoom(context, roomId, [PART.settings, PART.sfu, ...groups])
    const session = sessionIn(room)
    if (room.settings?.closed !== null) return
    if (session?.state === 'unavailable' && mayFallBack(room)) await recoverSession(context, roomId)
    if (session?.state !== 'open') return
    const heads = groups.flatMap(group => room.list<ParticipantHead>(group).map(([, head]) => head))
    const againInMs = await keepParticipants(context, room, { session, participants: heads })
    if (againInMs < CHECK_MEDIA_MS) await context.store.rooms.bringForward(roomId, context.clock.now() + againInMs)
  })
}

interface Kept {
  readonly session: OpenSession
  /** All that are in the room. */
  readonly participants: readonly ParticipantHead[]
}

/** Resolves to the time until this must be sent again. */
async function keepParticipants(
  context: Context,
  { roomId, version }: ReadRoom,
  { session, participants }: Kept
): Promise<number> {
  const { sessionId, service } = session
  const lost = { sessionId, reason: 'service_lost' } as const
  const found = mediaServicesOf(context).find(service)
  if (found === null || hasLost(found.health, session)) {
    await loseSession(context, roomId, lost)
    return RETRY_MS
  }
  try {
    const ids = participants.map(({ participantId }) => participantId)
    await found.client.keepParticipants(sessionId, { version, participants: ids })
    await settleAll(context, roomId, { sessionId, client: found.client })
    return CHECK_MEDIA_MS
  } catch (error) {
    if (error instanceof MediaRefusal && error.code === 'session_not_found') await loseSession(context, roomId, lost)
    return RETRY_MS
  }
}

export interface Settling {
  readonly client: MediaServiceClient
  readonly unsettled: UnsettledMedia
}

/** Does what the service has yet to do in this session. @throws MediaRefusal, MediaFailure */
async function settleAll(
  context: Context,
  roomId: string,
  { sessionId, client }: { readonly sessionId: string; readonly client: MediaServiceClient }
): Promise<void> {
  const room = await readRoom(context, roomId, [PART.unsettledMedia])
  for (const [, unsettled] of room.list<UnsettledMedia>(PART.unsettledMedia)) {
    if (unsettled.sessionId === sessionId) await settle(context, roomId, { client, unsettled })
    else await changeOpenRoom(context, scopeOf(roomId, unsettled), read => finishSettling(read, unsettled))
  }
}

const scopeOf = (roomId: string, { participantId }: UnsettledMedia) => ({
  roomId,
  parts: [PART.producersOfParticipant(participantId), PART.unsettledMediaOfParticipant(participantId)]
})

/** @throws MediaRefusal, MediaFailure */
async function settle(context: Context, roomId: string, { client, unsettled }: Settling): Promise<void> {
  // One after the other: several failures at once would open the breaker.
  const { producers, dataProducers, closings } = unsettled
  for (const id of producers) await client.removeOlder(unsettled, 'producers', id, closings)
  for (const id of dataProducers) await client.removeOlder(unsettled, 'data-producers', id, closings)
  await changeOpenRoom(context, scopeOf(roomId, unsettled), async room => {
    for (const { producerId, paused } of pausingIn(room, unsettled))
      await client.patchProducer(unsettled, producerId, { paused }).catch(ignoreUnknown)
    return finishSettling(room, unsettled)
  })
}

/** A commit has closed this: the service closes it now. If that fails, the next check of the room does it. Never throws. */
export const settleClosed = (context: Context, roomId: string, settling: Settling): Promise<void> =>
  settle(context, roomId, settling).catch(error => settleAfter(context, roomId, { ...settling, error }))

/** The service has closed the producer, and pushes that. */
function ignoreUnknown(error: unknown): void {
  if (!(error instanceof MediaRefusal && error.code === 'not_found')) throw error
}

/**
 * A request has failed after it may have asked the service: tells the service what the room says. If that is not possible, or the service may
 * still execute the request, the next check of the room does it.
 */
export async function settleAfter(
  context: Context,
  roomId: string,
  { error, ...settling }: Settling & { readonly error: unknown }
): Promise<void> {
  const { store, clock, config, log } = context
  try {
    await store.rooms.bringForward(roomId, clock.now() + mediaSettlesInMs(config))
    if (!(error instanceof MediaFailure)) await settle(context, roomId, settling)
  } catch (cause) {
    log.debug({ err: cause, roomId }, 'not settled with the media service; a check of the room does it')
  }
}
