// A room as it is kept: parts that change independently of each other, and what a decision about them is made of.
import { hash } from 'node:crypto'
import type { Endpoint } from '../../schemas/common.js'
import type { InvitationEnd } from '../../schemas/invitation.js'
import type { CloseReason, DefaultRole, Participant, Role, Room } from '../../schemas/room.js'

export interface Settings {
  readonly mode: Room['mode']
  readonly callType: Room['callType']
  readonly locked: boolean
  readonly maxParticipants: number
  readonly defaultRole: DefaultRole
  readonly metadata: Room['metadata']
  readonly createdAt: number
  readonly createdBy: string
  /** It was made ahead of time, and no device has joined it yet. */
  readonly isUnused?: true
  /** Not null: the room is over. */
  readonly closed: CloseReason | null
}

/** What the room service says of a room. */
export type ServiceSettings = Partial<Omit<Settings, 'createdAt' | 'createdBy' | 'closed' | 'isUnused'>>

export interface ParticipantRef extends Endpoint {
  readonly participantId: string
}

/** As others see who did something. */
export const participantRef = ({ participantId, user, device }: ParticipantRef): ParticipantRef => ({
  participantId,
  user,
  device
})

/** What is read of a participant by those who only address them. */
export interface ParticipantHead extends ParticipantRef {
  /** The version of the room that let it in; null in the commit that does. */
  readonly since: number | null
}

export interface ParticipantRecord extends ParticipantHead {
  readonly role: Role
  /** The role that the token or the room service claimed for it; null: neither did. */
  readonly claimed: Role | null
  /** The claim is the room service's, and follows it. */
  readonly isServed?: true
  /** Since when its device has shown no sign of life; null: it is there. */
  readonly awaySince: number | null
  readonly joinedAt: number
  readonly metadata: Participant['metadata']
}

/** What a room keeps of a user, whatever their devices. It is of no effect in a later room of the same id. */
export interface RoomUser {
  /** Names the room: when it was created. */
  readonly roomSince: number
  /** Those that are in. */
  readonly devices: readonly string[]
  /** While a device is in. */
  readonly role: Role | null
  /** A role given by a participant stands until another one is given, or the claim is another than it was `over`. */
  readonly given: { readonly role: Role; readonly over: Role | null } | null
  /** Participations that ended, the last few. */
  readonly left: readonly { readonly participantId: string; readonly at: number }[]
}

export interface Banned {
  readonly by: Endpoint
  readonly at: number
  /** Null: until unbanned. */
  readonly until: number | null
}

/** How a user was asked in. */
export interface Invitation {
  readonly invitationId: string
  readonly user: string
  readonly from: Endpoint & { readonly participantId: string }
  /** Of one that rings; {} when it has ended. */
  readonly metadata: Room['metadata']
  /** It rings until then. */
  readonly until: number
  /** The invitee blocks the one who invites: it rings no device, and they do not hear of its end. */
  readonly isMuted?: true
  /** Null: it rings. */
  readonly ended: { readonly reason: InvitationEnd; readonly by: Endpoint | null; readonly at: number } | null
}

/** Whose invitation an id stands for. */
export interface InvitationOwner {
  readonly user: string
}

/** An id that was cancelled before its invitation came. */
export interface EarlyCancel {
  readonly by: Endpoint
  readonly at: number
}

/** Characters of a place: 132 bits of a digest, which no user can find another device for. */
const DEVICE_KEY_LENGTH = 22

/** Where a device's record lies in a room. The id of each of its participations begins with it, so the record is found by either. */
const deviceKeyOf = ({ user, device }: Endpoint) =>
  hash('sha256', `${user}/${device}`, 'base64url').slice(0, DEVICE_KEY_LENGTH)

/** `unique` tells this participation from earlier ones of the device. */
export const participantIdOf = (endpoint: Endpoint, unique: string): string => deviceKeyOf(endpoint) + unique

/**
 * The names of a room's parts. What stands before a colon names a group; `participant:` alone asks for all of it, `participant::` for a ParticipantHead
 * of each (store/rooms.ts).
 */
export const PART = {
  settings: 'settings',
  /** When the last one left; nobody is in while it is there. */
  empty: 'empty',
  /** What the names of all participants begin with. */
  participants: 'participant:',
  participantOf: (endpoint: Endpoint) => `participant:${deviceKeyOf(endpoint)}`,
  /** The record of a participant, or of a later participation of the same device. */
  participant: (participantId: string) => `participant:${participantId.slice(0, DEVICE_KEY_LENGTH)}`,
  participantHeads: 'participant::',
  /** What the names of all users' parts begin with. */
  users: 'user:',
  user: (user: string) => `user:${user}`,
  /** The store keeps it when the room has gone (LASTING). */
  ban: (user: string) => `+ban:${user}`,
  /** A user's invitation: the one that rings, or the last one that did. */
  invitation: (user: string) => `invitation:${user}`,
  /** What an invitation's id stands for. */
  invitationOwner: (invitationId: string) => `invitee:${invitationId}`,
  /** What a participant has broadcast, see broadcast.ts. */
  broadcast: (participantId: string) => `broadcast:${participantId}`,
  /** An id that was cancelled before its invitation came. */
  earlyCancel: (invitationId: string) => `cancelled:${invitationId}`
} as const

/** As much of a room as was read. */
export interface RoomParts {
  readonly roomId: string
  readonly version: number
  readonly settings: Settings | null
  readonly emptySince: number | null
  get<T>(part: string): T | null
  /** All parts that were read whose names begin so, by the rest of their names. */
  list<T>(prefix: string): readonly (readonly [rest: string, part: T])[]
  /** How many devices are in. */
  readonly participantCount: number
}

/** Who hears it: everybody in the room (but one), one device, or a user's devices but one. */
type RoomRecipients =
  | { readonly all: true; readonly except?: string }
  | { readonly user: string; readonly device: string }
  | { readonly user: string; readonly except: readonly string[] }

export interface RoomEvent {
  readonly to: RoomRecipients
  readonly type: string
  /** The room's id is added when it is committed, its version when it is told. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface RoomDecision {
  /** null takes a part away. */
  readonly writes: Readonly<Record<string, object | number | null>>
  /** No device comes in beyond this many. */
  readonly participantsMax?: number
  /** Goes into the room's log, unless its id is there. */
  readonly logEntry?: { readonly id: string; readonly value: object }
  readonly events: readonly RoomEvent[]
  /** When the room has to be looked at again on account of this. */
  readonly deadlineAt?: number
  /** The room is made with this. */
  readonly createsRoom?: boolean
  /** The room is over with this. */
  readonly endsRoom?: boolean
}

export const NO_CHANGE: RoomDecision = { writes: {}, events: [] }

/** Several decisions as one commit. Later writes of a part win. */
export function mergeDecisions(one: RoomDecision, ...more: readonly RoomDecision[]): RoomDecision {
  return {
    ...one,
    writes: Object.assign({}, one.writes, ...more.map(({ writes }) => writes)),
    events: [...one.events, ...more.flatMap(({ events }) => events)]
  }
}

export function viewParticipant(participant: ParticipantRecord): Participant {
  const { participantId, user, device, role, metadata } = participant
  const [away, joinedAt] = [participant.awaySince !== null, new Date(participant.joinedAt).toISOString()]
  return { participantId, user, device, role, metadata, away, joinedAt }
}

export function viewRoom(
  { roomId, version, participantCount }: Pick<RoomParts, 'roomId' | 'version' | 'participantCount'>,
  settings: Settings
): Room {
  const { closed: _, isUnused: __, createdAt, ...rest } = settings
  return { roomId, version, ...rest, createdAt: new Date(createdAt).toISOString(), participantCount }
}

/** An event for all participants but `except`. */
export const roomEvent = (type: string, data: RoomEvent['data'], except?: string): RoomEvent => ({
  to: { all: true, ...(except === undefined ? {} : { except }) },
  type,
  data
})
