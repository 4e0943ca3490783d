// What every operation on the media of a room begins with: access, the session of the room, and the errors of its media service.
import type { MediaOwner } from '../../adapters/media-requests.js'
import { MediaFailure, MediaRefusal, type MediaServiceClient, type RefusalCode } from '../../adapters/media-service.js'
import { type Access, partsOfAccess, type RoomAction, requireParticipant } from '../../domain/room/access.js'
import { PART, type ParticipantRecord } from '../../domain/room/state.js'
import { type OpenSession, sessionIn } from '../../domain/sfu/session.js'
import { AppError, type ErrorCode } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Context } from '../context.js'
import { recordKeepalive } from '../device/keepalive.js'
import { type ReadRoom, readRoom } from '../room/parts.js'
import { loseSession } from './lost-sessions.js'
import { mediaServicesOf, mediaUnavailable } from './media-services.js'
import { openSession } from './opening.js'

export interface SessionRequest {
  readonly actor: Actor
  readonly roomId: string
  /** What the participant needs the permission for. */
  readonly action: RoomAction
  /** Parts of the room that `use` reads, besides those of access and PART.sfu. */
  readonly parts?: readonly string[]
}

/** An open session, and the participant who uses it. */
export interface SessionUse {
  readonly client: MediaServiceClient
  readonly session: OpenSession
  /** The path of everything that belongs to the participant. */
  readonly owner: MediaOwner
  readonly access: Access & { readonly participant: ParticipantRecord }
  /** As it was read before the session was opened. */
  readonly room: ReadRoom
}

/**
 * Opens the session of the room if it has none. What the media service throws in `use` becomes an AppError; a session that the service
 * does not know is replaced.
 * @throws AppError what requireAccess throws; not_sfu, no_media_service, media_unavailable; those of REFUSED
 */
export async function withSession<T>(
  context: Context,
  { actor, roomId, action, parts = [] }: SessionRequest,
  use: (use: SessionUse) => Promise<T>
): Promise<T> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.sfu, ...parts])
  const access = requireParticipant(action, room, { actor, now: context.clock.now() })
  if (access.settings.mode !== 'sfu') throw new AppError('not_sfu')
  if (mediaServicesOf(context).list().length === 0) throw new AppError('no_media_service')
  const known = sessionIn(room)
  const session = known?.state === 'open' ? known : await openInTime(context, roomId)
  const service = await mediaServicesOf(context).serviceOf(session)
  if (service === null) throw serviceLost(context, { roomId, session })
  const { participantId } = access.participant
  const owner = { sessionId: session.sessionId, participantId }
  try {
    const result = await use({ client: service.client, session, owner, access, room })
    recordKeepalive(context, actor)
    return result
  } catch (error) {
    if (error instanceof MediaRefusal && error.code === 'session_not_found') {
      throw serviceLost(context, { roomId, session }, error)
    }
    throw toAppError(error)
  }
}

/** The session, unless opening it takes longer than one request may; it goes on then. @throws AppError media_unavailable */
function openInTime(context: Context, roomId: string): Promise<OpenSession> {
  const timeout = AbortSignal.timeout(context.config.mediaServiceTimeoutMs)
  const late = new Promise<never>((_, reject) => {
    timeout.addEventListener('abort', () => reject(mediaUnavailable()))
  })
  return Promise.race([openSession(context, roomId), late])
}

/** Replaces the session in the background, unless that was done already. */
function serviceLost(
  context: Context,
  { roomId, session: { sessionId } }: { readonly roomId: string; readonly session: OpenSession },
  cause?: unknown
): AppError {
  context.background.run(`replace the media session ${sessionId}`, () =>
    loseSession(context, roomId, { sessionId, reason: 'service_lost' })
  )
  return mediaUnavailable(cause)
}

/** What a client receives if the media service refuses its request. */
const REFUSED: Readonly<Record<RefusalCode, ErrorCode>> = {
  invalid_parameters: 'invalid_media_parameters',
  session_not_found: 'media_unavailable',
  not_found: 'media_not_found',
  already_connected: 'media_conflict',
  conflict: 'media_conflict',
  cannot_consume: 'cannot_consume',
  limit_reached: 'too_many_media',
  overloaded: 'media_unavailable'
}

/** An error that is not the media service's is returned as it is. */
export function toAppError(error: unknown): unknown {
  if (error instanceof MediaFailure) return mediaUnavailable(error)
  if (!(error instanceof MediaRefusal)) return error
  const code = REFUSED[error.code]
  if (code === 'media_unavailable') return mediaUnavailable(error)
  return new AppError(code, error.detail === '' ? {} : { detail: error.detail })
}
