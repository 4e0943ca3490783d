// Hidden participants: an operator's recorder receives the media and the events of a room, and is not shown to anyone. Its records are a group of
// their own (PART.hiddenParticipants). What lists, counts or signals to participants reads the group of the others, so it cannot show a hidden one.
// Only the grant `hidden` in a token makes one.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { LeaveReason } from '../../schemas/room.js'
import { roomUser } from './room-user.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type RoomUser
} from './state.js'

/** Of a room. */
const HIDDEN_MAX = 4

/** Whether the token makes its user a hidden participant of the room. */
export function mayBeHidden({ rooms = {} }: Actor, roomId: string): boolean {
  const claim = Object.hasOwn(rooms, roomId) ? rooms[roomId] : Object.hasOwn(rooms, '*') ? rooms['*'] : undefined
  return claim?.grants?.includes('hidden') === true
}

/** The hidden participant of the device, if its token still allows that. Reads PART.hiddenOf. */
export function hiddenParticipantOf(parts: RoomParts, actor: Actor): ParticipantRecord | null {
  return mayBeHidden(actor, parts.roomId) ? parts.get<ParticipantRecord>(PART.hiddenOf(actor)) : null
}

/** The parts that joinHidden reads besides those of access. The group is read, and the commit depends on PART.hiddenJoin. */
export const partsOfHiddenJoin = { read: [PART.hiddenParticipants], parts: [PART.hiddenJoin] } as const

interface HiddenJoin {
  /** As it would be written. */
  readonly participant: ParticipantRecord
  readonly replace: boolean
}

/**
 * No one receives an event. A room that no other device has joined stays empty. A repeat changes nothing.
 * @throws AppError room_full, not_permitted
 */
export function joinHidden(parts: RoomParts, { participant, replace }: HiddenJoin, now: number): RoomDecision {
  const { user, device } = participant
  const before = parts.get<ParticipantRecord>(PART.hiddenOf(participant))
  if (before && !replace) return NO_CHANGE
  const others = parts
    .list<ParticipantRecord>(PART.hiddenParticipants)
    .filter(([, each]) => !isSameDevice(each, participant))
  if (others.length >= HIDDEN_MAX)
    throw new AppError('room_full', { detail: `A room has at most ${HIDDEN_MAX} hidden participants` })
  const known = roomUser(parts, user)
  const hidden = [...(known.hidden ?? []).filter(each => each !== device), device]
  return {
    writes: {
      [PART.hiddenOf(participant)]: participant,
      [PART.user(user)]: { ...known, hidden } satisfies RoomUser,
      [PART.hiddenJoin]: now
    },
    events: [],
    ...(before && endsMediaIn(parts))
  }
}

const isSameDevice = (a: Endpoint, b: Endpoint) => a.user === b.user && a.device === b.device

/** What a hidden participant may do, as far as its grants allow it: it receives. */
const HIDDEN_ACTIONS: ReadonlySet<string> = new Set([
  ...['join', 'read', 'know', 'takePart', 'useMedia'],
  ...['subscribe', 'subscribe:audio', 'subscribe:video', 'subscribe:screen', 'subscribeData']
])

/** @throws AppError not_permitted */
export function requireHiddenAction(action: string): void {
  if (HIDDEN_ACTIONS.has(action)) return
  throw new AppError('not_permitted', {
    detail: 'A hidden participant receives events and media, and does nothing else'
  })
}

/** A device cannot join as an ordinary participant with the grant `hidden`, or while it is a hidden one. @throws AppError not_permitted */
export function refuseHidden(parts: RoomParts, actor: Actor): void {
  if (mayBeHidden(actor, parts.roomId))
    throw new AppError('not_permitted', { detail: 'The grant hidden is for joining the room itself' })
  if (parts.get(PART.hiddenOf(actor)) !== null) throw leaveFirst('a hidden participant')
}

/** The reverse. @throws AppError not_permitted */
export function refuseVisible(parts: RoomParts, actor: Actor): void {
  if (parts.get(PART.participantOf(actor)) !== null) throw leaveFirst('an ordinary participant')
}

const leaveFirst = (kind: string) =>
  new AppError('not_permitted', { detail: `This device is in the room as ${kind}: leave first` })

/** The hidden participants of a user. Reads PART.user and PART.hiddenOf of each. */
export const hiddenOfUser = (parts: RoomParts, user: string): ParticipantRecord[] =>
  (roomUser(parts, user).hidden ?? []).flatMap(
    device => parts.get<ParticipantRecord>(PART.hiddenOf({ user, device })) ?? []
  )

/** These hidden devices of one user leave. Only they receive that. Reads PART.settings and PART.user. */
export function leaveHidden(
  parts: RoomParts,
  leaving: readonly ParticipantRecord[],
  { reason, by }: { readonly reason: LeaveReason; readonly by: Endpoint | null }
): RoomDecision {
  const [first] = leaving
  if (first === undefined) return NO_CHANGE
  const { user } = first
  const { hidden = [], ...known } = roomUser(parts, user)
  const left = hidden.filter(each => !leaving.some(({ device }) => device === each))
  const gone = leaving.map(each => [PART.hiddenOf(each), null])
  const toThemselves = leaving.map(({ participantId, device }): RoomEvent => {
    const data = { participantId, user, reason, by }
    return { to: { user, device }, type: 'room.participant_left', data }
  })
  return {
    writes: { ...Object.fromEntries(gone), [PART.user(user)]: left.length > 0 ? { ...known, hidden: left } : known },
    // A device that leaves by itself has the reply.
    events: reason === 'left' ? [] : toThemselves,
    ...endsMediaIn(parts)
  }
}

const endsMediaIn = ({ settings }: RoomParts): Pick<RoomDecision, 'endsMedia'> =>
  settings?.mode === 'sfu' ? { endsMedia: true } : {}
