// Applies the answers of the room service. The service decides which rooms exist, their settings, and what users may do in them. A room
// that it does not know, or no longer knows, is closed.
import { decideCloseByServer } from '../../domain/room/lifecycle.js'
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
import { requireMediaService } from '../sfu/media-services.js'
import { followModeChange, partsOfMode } from '../sfu/mode-change.js'
import { endRoom } from './end-room.js'
import { removeMembershipsOfRemoved } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import { cacheAnswer, dropAnswer, findServiceRoom } from './service-answers.js'
import { changeRoom } from './update-room.js'

/** Null: the service knows no such room. If a room with this id is open, it is closed. */
const askForRoom = (context: Context, roomId: string, charge: () => Promise<void>): Promise<RoomDefinition | null> =>
  findServiceRoom(context, { roomId, charge, apply: room => applyAnswer(context, roomId, room) })

async function applyAnswer(context: Context, roomId: string, room: RoomDefinition | null): Promise<void> {
  if (room === null) await closeUnknownRoom(context, roomId)
  else await changeRoles(context, roomId, room)
}

/**
 * The settings of the room that the service decides, for a room that may be created now.
 * @throws AppError room_not_found, room_service_unavailable, rate_limited
 */
export async function readServiceSettings(context: Context, actor: Actor, roomId: string): Promise<ServiceSettings> {
  const { roomServiceUrl, roomMaxParticipants } = context.config
  if (roomServiceUrl === null) return {}
  const room = await askForRoom(context, roomId, () => context.budgets.spend(actor.user, 'lookups'))
  if (room === null) throw new AppError('room_not_found')
  return settingsOf(room, roomMaxParticipants)
}

/**
 * The actor with the role and grants that the service gives them in this room. They are charged when the service is asked, and also for a
 * cached answer that does not let them in: otherwise their budget would show that the answer was cached, and so that the room may exist.
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

/** Closes an open room that the service no longer knows, in the background. Asks the service if the cached answer is no longer fresh. */
export function compareWithService(context: Context, roomId: string): void {
  if (context.config.roomServiceUrl === null) return
  context.background.run(`compare ${roomId} with the room service`, async () => {
    const { settings } = await readRoom(context, roomId, [PART.settings])
    if (settings?.closed !== null) return
    if ((await askForRoom(context, roomId, async () => {})) === null) await closeUnknownRoom(context, roomId)
  })
}

/**
 * The service has pushed a room that it changed: applies it. Participants receive the events of the change.
 * @throws AppError no_media_service
 */
export async function applyPushedRoom(context: Context, roomId: string, room: RoomDefinition): Promise<void> {
  checkMetadata(room.metadata)
  requireMediaService(context, room.mode)
  await cacheAnswer(context, roomId, room)
  const settings = settingsOf(room, context.config.roomMaxParticipants)
  const parts = [PART.settings, ...(settings.mode === undefined ? [] : [PART.sfu])]
  const scope = { roomId, read: [...parts, ...partsOfMode(settings.mode)], parts }
  const { decision, room: before } = await changeRoom(context, scope, read => adoptSettings(read, settings))
  followModeChange(context, before, decision)
  await changeRoles(context, roomId, room)
}

/** Drops the cached answer. If the room is open, asks the service whether it still knows it. */
export async function refetchRoom(context: Context, roomId: string): Promise<void> {
  await dropAnswer(context, roomId)
  compareWithService(context, roomId)
}

/** Gives the participants the roles of the service's answer, in several commits if they are many. The request that asked waits for it. */
async function changeRoles(context: Context, roomId: string, room: RoomDefinition): Promise<void> {
  for (let isDone = false; !isDone; ) {
    let named: readonly string[] = []
    const parts = (all: ReadRoom) => {
      named = partsOfRoles(all, room)
      return named
    }
    const basis = { roomId, read: [PART.settings, PART.sfu, PART.participants, PART.producers], parts }
    const { decision, room: before } = await changeRoom(context, basis, (read, now) =>
      adoptRoles(read, { room, named }, now)
    )
    await removeMembershipsOfRemoved(context, before, decision)
    isDone = decision.events.length === 0
  }
}

const closeUnknownRoom = (context: Context, roomId: string): Promise<void> =>
  endRoom(context, { roomId }, decideCloseByServer)
