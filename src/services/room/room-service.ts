// The room service and the rooms: what it says holds. It decides which rooms there are, their settings, and who may do what in them; a
// room that it does not know, or no longer, is closed.
import { decideCloseUnknown } from '../../domain/room/lifecycle.js'
import {
  admits,
  adoptRoles,
  adoptSettings,
  partsOfRoles,
  settingsOf,
  withServiceClaim
} from '../../domain/room/service-answer.js'
import { PART, type ServiceSettings } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { RoomDefinition } from '../../schemas/room-service.js'
import type { Context } from '../context.js'
import { checkMetadata } from '../metadata-bounds.js'
import { endRoom } from './end-room.js'
import { removeMembershipsOfRemoved } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import { dropAnswer, findServiceRoom, keepAnswer } from './service-answers.js'
import { changeRoom } from './update-room.js'

/** Null: the service knows no such room, and a room of this id is closed. */
const askForRoom = (context: Context, roomId: string, charge: () => Promise<void>): Promise<RoomDefinition | null> =>
  findServiceRoom(context, { roomId, charge, apply: room => applyAnswer(context, roomId, room) })

async function applyAnswer(context: Context, roomId: string, room: RoomDefinition | null): Promise<void> {
  if (room === null) await closeUnknownRoom(context, roomId)
  else await changeRoles(context, roomId, room)
}

/** What the service says of a room that is about to be made. @throws AppError room_not_found, room_service_unavailable, rate_limited */
export async function readServiceSettings(context: Context, actor: Actor, roomId: string): Promise<ServiceSettings> {
  const { roomServiceUrl, roomMaxParticipants } = context.config
  if (roomServiceUrl === null) return {}
  const room = await askForRoom(context, roomId, () => context.budgets.spend(actor.user, 'lookups'))
  if (room === null) throw new AppError('room_not_found')
  return settingsOf(room, roomMaxParticipants)
}

/**
 * The actor with what the service lets them do in this room. They are charged when the service has to be asked, and when it does not let
 * them in, wherever its answer lay: what their budget has left must not show whether there is a room.
 * @throws AppError room_not_found, room_service_unavailable, rate_limited
 */
export async function withRoomClaims(context: Context, actor: Actor, roomId: string): Promise<Actor> {
  if (context.config.roomServiceUrl === null || actor.rooms !== undefined) return actor
  let isCharged = false
  async function charge(): Promise<void> {
    if (isCharged) return
    isCharged = true
    await context.budgets.spend(actor.user, 'lookups')
  }
  const room = await askForRoom(context, roomId, charge)
  if (room === null || !admits(room, actor.user)) await charge()
  if (room === null) throw new AppError('room_not_found')
  return withServiceClaim(actor, roomId, room)
}

/** In the background: a room that is open is held against the service's answer, which is asked for anew when it is old. */
export function compareWithService(context: Context, roomId: string): void {
  if (context.config.roomServiceUrl === null) return
  context.background.run(`confirm ${roomId}`, async () => {
    const { settings } = await readRoom(context, roomId, [PART.settings])
    if (settings?.closed !== null) return
    if ((await askForRoom(context, roomId, async () => {})) === null) await closeUnknownRoom(context, roomId)
  })
}

/** The service tells of a change before it is asked; participants get the events of it. */
export async function applyPushedRoom(context: Context, roomId: string, room: RoomDefinition): Promise<void> {
  checkMetadata(room.metadata)
  await keepAnswer(context, roomId, room)
  const known = settingsOf(room, context.config.roomMaxParticipants)
  await changeRoom(context, { roomId, parts: [PART.settings] }, parts => adoptSettings(parts, known))
  await changeRoles(context, roomId, room)
}

/** What was kept of the room is forgotten; if it is open, the service is asked now whether it still knows it. */
export async function refetchRoom(context: Context, roomId: string): Promise<void> {
  await dropAnswer(context, roomId)
  compareWithService(context, roomId)
}

/** The participants' roles follow the service before the next of them does anything. A crowd takes several commits. */
async function changeRoles(context: Context, roomId: string, room: RoomDefinition): Promise<void> {
  for (let isDone = false; !isDone; ) {
    let named: readonly string[] = []
    const parts = (whole: ReadRoom) => {
      named = partsOfRoles(whole, room)
      return named
    }
    const basis = { roomId, read: [PART.settings, PART.participants], parts }
    const { decision, room: before } = await changeRoom(context, basis, (parts, now) =>
      adoptRoles(parts, { room, named }, now)
    )
    await removeMembershipsOfRemoved(context, before, decision)
    isDone = decision.events.length === 0
  }
}

const closeUnknownRoom = (context: Context, roomId: string): Promise<void> =>
  endRoom(context, { roomId }, decideCloseUnknown)
