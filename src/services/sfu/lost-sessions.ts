// A session whose media is lost: the room gets another one on a service that is up, or none is available and a small room falls back to p2p.
// Every commit names the session that was lost, so all nodes may find the same loss.
import { placeSession, type ResetReason, replaceSession } from '../../domain/sfu/session.js'
import type { Context } from '../context.js'
import { commitPlacement, openInBackground } from './opening.js'

interface LostSession {
  readonly sessionId: string
  readonly reason: ResetReason
}

/** Changes nothing if the room is on another session already. */
export async function loseSession(context: Context, roomId: string, lost: LostSession): Promise<void> {
  const { session, isChanged } = await commitPlacement(context, {
    roomId,
    // All services may have failed at the same moment. A dead worker says nothing about them.
    ...(lost.reason === 'service_lost' ? { check: 'confirm' } : {}),
    decide: (room, next) => replaceSession(room, lost, next)
  })
  if (isChanged && session?.state === 'opening') openInBackground(context, roomId)
}

/** No session was available for the room: gives it one if a service is up. Otherwise a room that has become small falls back to p2p. */
export async function recoverSession(context: Context, roomId: string): Promise<void> {
  const { session, isChanged } = await commitPlacement(context, { roomId, check: 'confirm', decide: placeSession })
  if (isChanged && session?.state === 'opening') openInBackground(context, roomId)
}
