// Which rooms a device is in, as the user's index says, held against the rooms themselves. The index is written before a room's commit
// and corrected after it: an entry too many, from a crash in between, is dropped by the next reader.
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

/** An entry may be this much older than the commit that it announces. */
export const JOINING_MS = 10_000

export interface CurrentParticipation {
  readonly roomId: string
  readonly room: ReadRoom
  readonly participant: ParticipantRecord
}

/** The rooms of all the user's devices, as the index says. */
export async function roomIdsOf({ store }: Context, user: string): Promise<ReadonlySet<string>> {
  return new Set((await store.memberships.list(user)).map(({ roomId }) => roomId))
}

export const haveCommonRoom = (mine: ReadonlySet<string>, theirs: ReadonlySet<string>): boolean =>
  [...mine].some(roomId => theirs.has(roomId))

/** At most MAX_ROOMS_PER_DEVICE. Reads settings and the participant of each room; drops what has outlived its room or participation. */
export async function currentParticipations(context: Context, actor: Endpoint): Promise<CurrentParticipation[]> {
  const { store, clock } = context
  const kept = await store.memberships.list(actor.user, actor.device)
  const found = await Promise.all(
    kept.map(async ({ at, roomId, ...participation }) => {
      const room = await readRoom(context, roomId, [PART.settings, PART.participantOf(actor)])
      const participant = room.get<ParticipantRecord>(PART.participantOf(actor))
      if (room.settings?.closed === null && participant !== null) return [{ roomId, room, participant }]
      if (at + JOINING_MS <= clock.now()) await dropMembership(context, participation, room)
      return []
    })
  )
  return found.flat()
}

/** The others may still show the participation, if it was a failover that made the room forget it. */
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

/** Before the commit that lets the device in. @throws AppError too_many_rooms */
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
  // Before the commit: an entry too many, left by a crash in between, is found; one too few would not be.
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
 * The join failed, or its outcome is unknown: the index says again what the room says. Never throws: where the room cannot be read the
 * entry stays, and the next reader holds it against the room.
 */
async function restoreMembership(context: Context, participation: Participation, roomId: string): Promise<void> {
  try {
    const part = PART.participantOf(participation)
    const { settings, get } = await readRoom(context, roomId, [PART.settings, part])
    const participant = get<ParticipantRecord>(part)
    if (participant === null || settings?.closed !== null) await context.store.memberships.remove(participation, roomId)
    else await addMembership(context, participant, roomId)
  } catch (error) {
    context.log.debug({ err: error, roomId }, 'a membership stays for its next reader')
  }
}

/** Memberships at a time. */
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

/** Of those whom a decision puts out of the room as it was read. */
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
 * In the background: the room is over, and its memberships with it. Its participants are read after the end: no one joins any more, and a
 * device may have joined between the decision that ended it and its commit.
 */
export function removeMembershipsOfRoom(context: Context, roomId: string): void {
  context.background.run(`forget participants of ${roomId}`, async () => {
    const room = await readRoom(context, roomId, [PART.participantHeads])
    const participants = room.list<ParticipantHead>(PART.participantHeads).map(([, head]) => head)
    await removeMemberships(context, roomId, participants)
  })
}
