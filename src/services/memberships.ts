// Which rooms a device is in, as the user's index says, held against the rooms themselves. The index is written before a room's commit
// and corrected after it: an entry too many, from a crash in between, is dropped by the next reader.
import { announceForgotten } from '../domain/room.js'
import { type Member, NOTHING, PART, type RoomDecision } from '../domain/room-state.js'
import { AppError } from '../errors.js'
import type { Endpoint } from '../schemas/common.js'
import type { Seat } from '../store/rooms.js'
import type { Context } from './context.js'
import { changeRoom, type ReadRoom, readRoom } from './room-commit.js'

/** An entry may be this much older than the commit that it announces. */
export const JOINING_MS = 10_000

export interface Participation {
  readonly roomId: string
  readonly room: ReadRoom
  readonly member: Member
}

/** The rooms of all the user's devices, as the index says. */
export async function roomIdsOf({ store }: Context, user: string): Promise<ReadonlySet<string>> {
  return new Set((await store.memberships.list(user)).map(({ roomId }) => roomId))
}

export const haveCommonRoom = (mine: ReadonlySet<string>, theirs: ReadonlySet<string>): boolean =>
  [...mine].some(roomId => theirs.has(roomId))

/** At most MAX_ROOMS_PER_DEVICE. Reads settings and the member of each room; drops what has outlived its room or participation. */
export async function participationsOf(context: Context, { user, device }: Endpoint): Promise<Participation[]> {
  const { store, clock } = context
  const kept = await store.memberships.list(user, device)
  const found = await Promise.all(
    kept.map(async ({ at, roomId, ...seat }) => {
      const room = await readRoom(context, roomId, [PART.settings, PART.member(user, device)])
      const member = room.get<Member>(PART.member(user, device))
      if (room.settings?.closed === null && member !== null) return [{ roomId, room, member }]
      if (at + JOINING_MS <= clock.now()) await drop(context, seat, room)
      return []
    })
  )
  return found.flat()
}

/** The others may still show the participation, if it was a failover that made the room forget it. */
async function drop(context: Context, seat: Seat, { roomId, settings }: ReadRoom): Promise<void> {
  if (settings?.closed === null) {
    const part = PART.member(seat.user, seat.device)
    await changeRoom(context, roomId, [PART.settings, part], room =>
      room.settings?.closed === null && room.get<Member>(part) === null ? announceForgotten(seat) : NOTHING
    )
  }
  await context.store.memberships.remove(seat, roomId)
}

/** Before the commit that lets the device in. @throws AppError too_many_rooms */
export async function announceMembership(context: Context, seat: Seat, roomId: string): Promise<void> {
  const { store, clock, config } = context
  const options = { max: config.maxRoomsPerDevice, now: clock.now() }
  if (await store.memberships.add(seat, roomId, options)) return
  await participationsOf(context, seat)
  if (!(await store.memberships.add(seat, roomId, options))) throw new AppError('too_many_rooms')
}

/**
 * The join failed, or its outcome is unknown: the index says again what the room says. Never throws: where the room cannot be read the
 * entry stays, and the next reader holds it against the room.
 */
export async function restoreMembership(context: Context, seat: Seat, roomId: string): Promise<void> {
  try {
    const part = PART.member(seat.user, seat.device)
    const { settings, get } = await readRoom(context, roomId, [PART.settings, part])
    const member = get<Member>(part)
    if (member === null || settings?.closed !== null) await context.store.memberships.remove(seat, roomId)
    else await announceMembership(context, member, roomId)
  } catch (error) {
    context.log.debug({ err: error, roomId }, 'a membership stays for its next reader')
  }
}

/** Memberships at a time. */
const PIECE = 100

export async function forgetMemberships(context: Context, roomId: string, seats: readonly Seat[]): Promise<void> {
  for (let i = 0; i < seats.length; i += PIECE) {
    await Promise.all(seats.slice(i, i + PIECE).map(seat => context.store.memberships.remove(seat, roomId)))
  }
}

/** Of those whom a decision puts out. */
export async function forgetMoved(context: Context, roomId: string, { moves = [] }: RoomDecision): Promise<void> {
  const seats = moves.map(({ user, device, from }) => ({ user, device, participantId: from ?? '' }))
  await forgetMemberships(context, roomId, seats)
}

/**
 * In the background: the room is over, and its memberships with it. Its members are read after the end: no one joins any more, and a
 * device may have joined between the decision that ended it and its commit.
 */
export function forgetRoom(context: Context, roomId: string): void {
  context.errands.run(`forget members of ${roomId}`, async () => {
    const room = await readRoom(context, roomId, [PART.members])
    const members = room.list<Member>(PART.members).map(([, member]) => member)
    await forgetMemberships(context, roomId, members)
  })
}
