// What people do in a room. Each reads the parts of the room its rule looks at, decides, and commits if none of them changed.
import { formatCursor } from '../delivery/cursor.js'
import { claimFor, mustBeGranted } from '../domain/grants.js'
import { partsOfEnd, readOfEnd, withAccept, withAllEnded, withdrawn } from '../domain/invitation.js'
import * as rules from '../domain/room.js'
import { close, configure } from '../domain/room-life.js'
import { type Member, PART, type RoomParts, type Settings, viewMember, viewRoom } from '../domain/room-state.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Endpoint } from '../schemas/common.js'
import type {
  JoinBody,
  JoinReply,
  Participant,
  ParticipantBody,
  RemoveQuery,
  Room,
  RoomAndParticipants,
  RoomBody,
  RoomSeat
} from '../schemas/room.js'
import { banUser, partsOfModeration, removeOthers } from './bans.js'
import { catchUpChat } from './chat-delivery.js'
import type { Context } from './context.js'
import { checkMetadata } from './metadata.js'
import { changeRoom, type ReadRoom, readRoom } from './room-commit.js'
import { knownSettings } from './room-service.js'
import { noteSignOfLife, registerDevice } from './sign-of-life.js'

/**
 * Makes the room if need be. A device that is in already gets its old participation.
 * @throws AppError not_permitted, banned, room_closed, room_locked, room_full, room_service_unavailable, store_unavailable
 */
export async function joinRoom(
  context: Context,
  actor: Actor,
  roomId: string,
  body: JoinBody
): Promise<JoinReply & { readonly joined: boolean }> {
  checkMetadata(body.metadata)
  const participantId = context.ids.unique()
  const known = await knownSettings(context, roomId)
  const command = {
    actor,
    participantId,
    metadata: body.metadata ?? {},
    replace: body.replace === true,
    maxParticipants: context.config.roomMaxParticipants,
    ...(known ? { known } : {})
  }
  const { user, device } = actor
  const parts = [PART.settings, PART.member(user, device), PART.ban(user), PART.invited(user)]
  const decide = (room: ReadRoom, now: number) => {
    if (known === null) rules.openRoom(room)
    // Who never opens a stream shows no sign of life after this one.
    const deadlineAt = now + context.config.awayAfterMs
    return { ...withAccept(room, actor, rules.join(room, command, now), now), deadlineAt }
  }
  // Whoever is refused is refused here, before anything is kept for them.
  decide(await readRoom(context, roomId, parts), context.clock.now())
  const cursor = await registerDevice(context, actor)
  // Before the seat: if this node dies in between, one membership too many is found out, one too few is not.
  const seat = { user, device, participantId }
  await context.store.memberships.add(seat, roomId)
  const { decision } = await changeRoom(context, roomId, { parts, payer: user }, decide).catch(async error => {
    await context.store.memberships.remove(seat, roomId)
    throw error
  })
  const { room, participants } = await describeRoom(context, roomId)
  const own = participants.find(each => each.user === user && each.device === device)
  if (!own) throw new AppError('not_in_room', { detail: 'Removed in the moment of joining' })
  // It is in already, or another request of the same device came in between: they are one participation.
  if (own.participantId !== participantId) {
    await context.store.memberships.add({ ...seat, participantId: own.participantId }, roomId)
  }
  const joined = decision.moves !== undefined
  return { room, participants, participantId: own.participantId, cursor: formatCursor(cursor), joined }
}

/** @throws AppError not_permitted, room_not_found */
export async function getRoom(context: Context, actor: Actor, roomId: string): Promise<RoomAndParticipants> {
  const parts = await readRoom(context, roomId, [PART.settings, PART.member(actor.user, actor.device)])
  const settings = rules.openRoom(parts)
  const member = parts.get<Member>(PART.member(actor.user, actor.device))
  const claim = claimFor(actor, roomId)
  mustBeGranted('join', member?.role ?? claim?.role ?? settings.defaultRole, claim)
  return describeRoom(context, roomId)
}

/** Makes it, or changes what the body names. @throws AppError not_permitted, banned, room_closed */
export async function putRoom(
  context: Context,
  actor: Actor,
  roomId: string,
  body: RoomBody
): Promise<{ room: Room; created: boolean }> {
  checkMetadata(body.metadata)
  const { roomMaxParticipants: maxParticipants } = context.config
  if ((body.maxParticipants ?? 0) > maxParticipants) {
    throw new AppError('invalid_request', { detail: `This server allows ${maxParticipants} participants in a room` })
  }
  const known = await knownSettings(context, roomId)
  const command = { actor, body, maxParticipants, ...(known ? { known } : {}) }
  const parts = [PART.settings, PART.empty, PART.member(actor.user, actor.device), PART.ban(actor.user)]
  const paid = { parts, payer: actor.user }
  const { decision, room, version } = await changeRoom(context, roomId, paid, (before, now) =>
    configure(before, command, now)
  )
  const settings = decision.writes[PART.settings] as Settings
  return { room: viewRoom(roomId, version, settings, room.seats), created: decision.events.length === 0 }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function closeRoom(context: Context, actor: Actor, roomId: string): Promise<void> {
  const moderation = partsOfModeration(actor)
  const parts = {
    read: [...readOfEnd, ...moderation],
    parts: (room: ReadRoom) => [...partsOfEnd(room), ...moderation]
  }
  const by = { user: actor.user, device: actor.device }
  await changeRoom(context, roomId, parts, (room, now) => withAllEnded(room, close(room, actor, now), by, now))
  catchUpChat(context, roomId)
}

/** @throws AppError not_permitted, participant_not_found */
export async function changeParticipant(
  context: Context,
  actor: Actor,
  where: { roomId: string; participantId: string },
  body: ParticipantBody
): Promise<Participant> {
  checkMetadata(body.metadata)
  const { user, device } = await findParticipant(context, where)
  const parts = [...partsOfModeration(actor), PART.member(user, device)]
  const paid = { parts, payer: actor.user }
  const { decision, room } = await changeRoom(context, where.roomId, paid, (before, now) =>
    rules.change(before, { actor, target: memberOf(before, { user, device }, where.participantId), body }, now)
  )
  noteSignOfLife(context, actor)
  const written = decision.writes[PART.member(user, device)] as Member | undefined
  return viewMember(written ?? memberOf(room, { user, device }, where.participantId))
}

/** Leaves, or puts somebody out; with `ban`, for good. Leaving a room one is not in is no mistake. */
export async function removeParticipant(
  context: Context,
  actor: Actor,
  where: { roomId: string; participantId: string },
  { ban, banForMs }: RemoveQuery
): Promise<void> {
  const target = await findParticipant(context, where)
  const { user, device } = target
  // The ban comes first: nobody slips back in between.
  if (ban === true) await banUser(context, actor, where.roomId, user, banForMs ?? null)
  const parts = [...partsOfModeration(actor), PART.member(user, device), PART.invited(user)]
  await changeRoom(context, where.roomId, parts, (room, now) => {
    const removed = rules.remove(room, { actor, target: memberOf(room, target, where.participantId) }, now)
    return user === actor.user ? removed : withdrawn(room, target, removed)
  })
  await context.store.memberships.remove({ user, device, participantId: where.participantId }, where.roomId)
  if (ban === true) await removeOthers(context, actor, where.roomId, user)
}

export async function describeRoom(context: Context, roomId: string): Promise<RoomAndParticipants> {
  const parts = await readRoom(context, roomId, [PART.settings, PART.members, PART.at('')])
  const settings = rules.openRoom(parts)
  const members = parts.list<Member>(PART.members).map(([, member]) => {
    return { member, since: parts.since(PART.at(member.participantId)) }
  })
  const participants = members.sort((a, b) => a.since - b.since).map(({ member }) => viewMember(member))
  return { room: viewRoom(roomId, parts.version, settings, parts.seats), participants }
}

/** The rooms the user's devices are in. A membership that has outlived its seat is forgotten on the way. */
export async function listRooms(context: Context, { user }: Actor): Promise<RoomSeat[]> {
  const seats = await context.store.memberships.list(user)
  const found = await Promise.all(
    seats.map(async seat => {
      const parts = await readRoom(context, seat.roomId, [PART.settings, PART.member(user, seat.device)])
      const member = parts.get<Member>(PART.member(user, seat.device))
      if (parts.settings?.closed === null && member) {
        const room = viewRoom(seat.roomId, parts.version, parts.settings, parts.seats)
        return [{ room, participantId: member.participantId, device: seat.device }]
      }
      // A seat whose joining is under way has a room that is about to be made.
      if (parts.settings !== null) await context.store.memberships.remove(seat, seat.roomId)
      return []
    })
  )
  return found.flat()
}

/** Where a participant sits. @throws AppError room_not_found, participant_not_found */
export async function findParticipant(
  context: Context,
  { roomId, participantId }: { roomId: string; participantId: string }
): Promise<Endpoint> {
  const parts = await readRoom(context, roomId, [PART.settings, PART.at(participantId)])
  rules.openRoom(parts)
  const at = parts.get<Endpoint>(PART.at(participantId))
  if (at === null) throw new AppError('participant_not_found')
  return at
}

function memberOf(parts: RoomParts, { user, device }: Endpoint, participantId: string): Member {
  const member = parts.get<Member>(PART.member(user, device))
  if (member?.participantId !== participantId) throw new AppError('participant_not_found')
  return member
}
