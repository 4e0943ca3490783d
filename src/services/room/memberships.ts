// The memberships of a user: an index of the rooms that the user's devices are in. The rooms decide; the index is only where to look. An
// entry is added before the commit of the join and removed after the commit of the leave: a crash in between leaves an entry too many,
// which a reader removes, and never one too few.
import { announceForgotten } from '../../domain/room/participants.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantHead,
  type ParticipantRecord,
  type RoomDecision
} from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Participation } from '../../store/rooms.js'
import type { Context } from '../context.js'
import { type ReadRoom, readRoom } from './parts.js'
import { changeOpenRoom } from './update-room.js'

/** Until an entry is this old, its join may still be committed, so a reader does not remove it if the participant is missing. */
export const JOINING_MS = 10_000

export interface CurrentParticipation {
  readonly roomId: string
  readonly room: ReadRoom
  readonly participant: ParticipantRecord
}

/** The rooms that the index has for the user, on any device. */
export async function roomIdsOf({ store }: Context, user: string): Promise<ReadonlySet<string>> {
  return new Set((await store.memberships.list(user)).map(({ roomId }) => roomId))
}

export const haveCommonRoom = (mine: ReadonlySet<string>, theirs: ReadonlySet<string>): boolean =>
  [...mine].some(roomId => theirs.has(roomId))

/**
 * The rooms that the device is in, at most MAX_ROOMS_PER_DEVICE. Reads PART.settings and the participant of each. Removes entries whose
 * room is over or does not have the participant.
 */
export async function currentParticipations(context: Context, actor: Endpoint): Promise<CurrentParticipation[]> {
  const { store, clock } = context
  const memberships = await store.memberships.list(actor.user, actor.device)
  const found = await Promise.all(
    memberships.map(async ({ at, roomId, ...participation }) => {
      const room = await readRoom(context, roomId, [PART.settings, PART.participantOf(actor)])
      const participant = room.get<ParticipantRecord>(PART.participantOf(actor))
      if (room.settings?.closed === null && participant !== null) return [{ roomId, room, participant }]
      if (at + JOINING_MS <= clock.now()) await dropMembership(context, participation, room)
      return []
    })
  )
  return found.flat()
}

/**
 * If the room is open, announces that the participant has left: if the room has lost the record in a failover, other participants still
 * show it. Then removes the entry.
 */
async function dropMembership(
  context: Context,
  participation: Participation,
  { roomId, settings }: ReadRoom
): Promise<void> {
  if (settings?.closed === null) {
    const part = PART.participantOf(participation)
    await changeOpenRoom(context, { roomId, parts: [part] }, room =>
      room.get<ParticipantRecord>(part) === null ? announceForgotten(participation) : NO_CHANGE
    )
  }
  await context.store.memberships.remove(participation, roomId)
}

/** Called before the commit of the join. If the index is full, removes outdated entries first. @throws AppError too_many_rooms */
export async function addMembership(context: Context, participation: Participation, roomId: string): Promise<void> {
  const { store, clock, config } = context
  const options = { max: config.maxRoomsPerDevice, now: clock.now() }
  if (await store.memberships.add(participation, roomId, options)) return
  await currentParticipations(context, participation)
  if (!(await store.memberships.add(participation, roomId, options))) throw new AppError('too_many_rooms')
}

/** Adds the membership unless the device has it, then commits the join. @throws AppError too_many_rooms, and what `commit` throws */
export async function commitJoin<T>(
  context: Context,
  { roomId, participation, isNew }: JoiningParticipation,
  commit: () => Promise<T>
): Promise<T> {
  if (isNew) await addMembership(context, participation, roomId)
  try {
    return await commit()
  } catch (error) {
    await restoreMembership(context, participation, roomId)
    throw error
  }
}

interface JoiningParticipation {
  readonly roomId: string
  readonly participation: Participation
  readonly isNew: boolean
}

/**
 * The join failed, or its outcome is unknown: makes the index agree with the room again. Never throws: if the room cannot be read, the
 * entry stays and the next reader compares it with the room.
 */
async function restoreMembership(context: Context, participation: Participation, roomId: string): Promise<void> {
  try {
    const part = PART.participantOf(participation)
    const { settings, get } = await readRoom(context, roomId, [PART.settings, part])
    const participant = get<ParticipantRecord>(part)
    if (participant === null || settings?.closed !== null) await context.store.memberships.remove(participation, roomId)
    else await addMembership(context, participant, roomId)
  } catch (error) {
    context.log.debug({ err: error, roomId }, 'membership not corrected; its next reader corrects it')
  }
}

/** Memberships removed at a time. */
const BATCH_SIZE = 100

export async function removeMemberships(
  context: Context,
  roomId: string,
  gone: readonly Participation[]
): Promise<void> {
  for (let i = 0; i < gone.length; i += BATCH_SIZE) {
    await Promise.all(gone.slice(i, i + BATCH_SIZE).map(each => context.store.memberships.remove(each, roomId)))
  }
}

/** Removes the memberships of the participants whose records the decision deletes. `room` is the room as it was read for it. */
export async function removeMembershipsOfRemoved(
  context: Context,
  room: ReadRoom,
  { writes }: Pick<RoomDecision, 'writes'>
): Promise<void> {
  const removed = Object.keys(writes).filter(part => part.startsWith(PART.participants) && writes[part] === null)
  await removeMemberships(
    context,
    room.roomId,
    removed.flatMap(part => room.get<ParticipantRecord>(part) ?? [])
  )
}

/**
 * Removes all memberships of a room that is over, in the background. The participants are read after the end: a device may have joined
 * between the decision that ended the room and its commit, and none can join after that.
 */
export function removeMembershipsOfRoom(context: Context, roomId: string): void {
  context.background.run(`remove memberships of ${roomId}`, async () => {
    const room = await readRoom(context, roomId, [PART.participantHeads])
    const participants = room.list<ParticipantHead>(PART.participantHeads).map(([, head]) => head)
    await removeMemberships(context, roomId, participants)
  })
}
