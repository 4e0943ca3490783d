// The end of a room. Its ringing invitations end in the same commit; its memberships are removed in the background.
import { endpoint } from '../../domain/endpoint.js'
import { partsOfAccess } from '../../domain/room/access.js'
import { endAllInvitations, partsOfEnd, partsReadForEnd } from '../../domain/room/invitation-end.js'
import type { RoomDecision, RoomParts } from '../../domain/room/state.js'
import type { Actor } from '../../schemas/claims.js'
import { resumeChatDelivery } from '../chat/deliver-to-service.js'
import type { Context } from '../context.js'
import { deleteSessionOf } from '../sfu/opening.js'
import { removeMembershipsOfRoom } from './memberships.js'
import { changeRoom } from './update-room.js'

interface EndOptions {
  readonly roomId: string
  /** Absent if the server ends the room. */
  readonly actor?: Actor
}

/** `close` decides whether the room ends. It may read PART.settings, PART.empty, PART.sfu and, with an actor, partsOfAccess. */
export async function endRoom(
  context: Context,
  { roomId, actor }: EndOptions,
  close: (room: RoomParts, now: number) => RoomDecision
): Promise<void> {
  const access = actor ? partsOfAccess(actor) : []
  const by = actor ? endpoint(actor) : null
  const basis = {
    roomId,
    read: [...partsReadForEnd, ...access],
    parts: (room: RoomParts) => [...partsOfEnd(room), ...access]
  }
  const { decision, room: before } = await changeRoom(context, basis, (room, now) =>
    endAllInvitations(room, close(room, now), { by, now })
  )
  if (!decision.endsRoom) return
  deleteSessionOf(context, before)
  removeMembershipsOfRoom(context, roomId)
  resumeChatDelivery(context, roomId)
}
