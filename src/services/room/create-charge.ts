// What creating a room costs.
import { PART, type RoomDecision, type Settings } from '../../domain/room/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { Context } from '../context.js'
import { requireMediaService } from '../sfu/media-services.js'

/** Creating a room is charged to its creator. @throws AppError rate_limited, no_media_service */
export async function chargeCreate(
  context: Context,
  actor: Actor,
  { createsRoom, writes }: RoomDecision
): Promise<void> {
  if (createsRoom) requireMediaService(context, (writes[PART.settings] as Settings).mode)
  if (createsRoom) await context.budgets.spend(actor.user, 'rooms')
}
