// The events that a media service pushes. Any node takes them.
import type { RoomParts } from '../../domain/room/state.js'
import { PART } from '../../domain/room/state.js'
import { partsOfMediaEvents, takeMediaEvents } from '../../domain/sfu/pushed-events.js'
import { sessionIdIn, sessionIn } from '../../domain/sfu/session.js'
import { AppError } from '../../errors.js'
import {
  MEDIA_EVENT_TYPES,
  MEDIA_NOTICE_TYPES,
  type MediaEvent,
  type MediaNotice,
  type PushedEvents
} from '../../schemas/media-service.js'
import { type Context, perContext } from '../context.js'
import { readRoom } from '../room/parts.js'
import { changeRoom } from '../room/update-room.js'
import { removeClientsOfTransports } from '../whip/lost-clients.js'
import { loseSession } from './lost-sessions.js'
import { sendMediaNotices } from './notices.js'

/** Pairs of service and unknown type that were logged. */
const loggedOf = perContext(() => new Set<string>())
const LOGGED_MAX = 100

/**
 * Events and notices of unknown types, of a newer service, are skipped. A refusal would lose those that were pushed with them.
 * Idempotent: the commit that applies events also writes their numbers. Resolves when the events are committed.
 * @throws AppError session_not_found if the room is on another session: then the service closes this one
 */
export async function takePushedEvents(
  context: Context,
  { service, ...pushed }: PushedEvents & { readonly service: string }
): Promise<void> {
  const { roomId, sessionId, seq } = pushed
  const numbered = pushed.events.map(event => (isKnownEvent(event) ? event : skip(context, service, event)))
  const events = numbered.filter(event => event !== null)
  const notices = pushed.notices
    .map(notice => (isKnownNotice(notice) ? notice : skip(context, service, notice)))
    .filter(notice => notice !== null)
  const parts = [PART.settings, PART.sfu, PART.sfuEvents, ...partsOfMediaEvents(events)]
  requireSession(await readRoom(context, roomId, [PART.settings, PART.sfu]), { sessionId, service })
  await changeRoom(context, { roomId, parts }, room => {
    requireSession(room, { sessionId, service })
    return takeMediaEvents(room, { sessionId, seq, events: numbered })
  })
  await removeClientsOfTransports(context, roomId, events)
  // Also if its number was taken: the node that took it may have died before this.
  const lost = events.find(({ type }) => type === 'session_lost')
  if (lost?.type === 'session_lost') {
    const reason = lost.reason === 'worker_died' ? 'worker_died' : 'service_lost'
    await loseSession(context, roomId, { sessionId, reason })
  }
  await sendMediaNotices(context, { roomId, sessionId, notices })
}

type Pushed = PushedEvents['events' | 'notices'][number]
const isKnownEvent = (event: Pushed): event is MediaEvent => MEDIA_EVENT_TYPES.has(event.type)
const isKnownNotice = (notice: Pushed): notice is MediaNotice => MEDIA_NOTICE_TYPES.has(notice.type)

function skip(context: Context, service: string, { type }: Pushed): null {
  context.metrics.mediaEventsSkipped.inc()
  const logged = loggedOf(context)
  const name = JSON.stringify([service, type])
  if (!logged.has(name) && logged.size < LOGGED_MAX) {
    logged.add(name)
    context.log.warn({ service, type }, 'a media service pushes events of an unknown type, which are skipped')
  }
  return null
}

function requireSession(room: RoomParts, { sessionId, service }: { sessionId: string; service: string }): void {
  const session = sessionIn(room)
  const isCurrent = room.settings?.closed === null && sessionIdIn(room) === sessionId
  if (!isCurrent || session === null || session.state === 'unavailable' || session.service !== service) {
    throw new AppError('session_not_found')
  }
}
