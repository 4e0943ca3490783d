// Statistics of what a participant has on the media service, as the service measures them.
import type { MediaKind } from '../../adapters/media-requests.js'
import type { Actor } from '../../schemas/claims.js'
import type { MediaStatsReply } from '../../schemas/sfu.js'
import type { Context } from '../context.js'
import type { RoomPath } from '../room/paths.js'
import { withSession } from './sessions.js'

interface MeasuredMedia extends RoomPath {
  readonly kind: MediaKind
  readonly id: string
}

/** @throws AppError as withSession, and media_not_found */
export function getMediaStats(
  context: Context,
  actor: Actor,
  { roomId, kind, id }: MeasuredMedia
): Promise<MediaStatsReply> {
  return withSession(context, { actor, roomId, action: 'takePart' }, ({ client, owner }) =>
    client.stats(owner, kind, id)
  )
}
