// The parts of a room, which are stored and changed independently, and the decisions about them.
import { hash } from 'node:crypto'
import { encodeId, joinIds } from '../../id-text.js'
import type { Endpoint } from '../../schemas/common.js'
import type { InvitationEnd } from '../../schemas/invitation.js'
import type { CloseReason, DefaultRole, Participant, Role, Room } from '../../schemas/room.js'
import type { WhipParticipation } from './whip-client.js'

export interface Settings {
  readonly mode: Room['mode']
  /** While no media service is up, a small room in mode sfu becomes p2p. */
  readonly p2pFallback: boolean
  /** The mode is p2p only because no media service is up: it becomes sfu again. */
  readonly fellBack?: true
  /** The version of the room at which its mode last changed. Null in that commit, which has no version yet. Absent: it never has. */
  readonly modeSince?: number | null
  readonly callType: Room['callType']
  readonly locked: boolean
  /** The operator's recorder is asked to record the room, while its mode is sfu. */
  readonly record: boolean
  readonly maxParticipants: number
  readonly defaultRole: DefaultRole
  readonly metadata: Room['metadata']
  readonly createdAt: number
  readonly createdBy: string
  /** The room was created without joining it, and no device has joined it yet. */
  readonly isUnused?: true
  /** Not null: the room is over. */
  readonly closed: CloseReason | null
}

/** The settings that the room service decides. */
export type ServiceSettings = Partial<
  Omit<Settings, 'createdAt' | 'createdBy' | 'closed' | 'isUnused' | 'fellBack' | 'modeSince'>
>

export interface ParticipantRef extends Endpoint {
  readonly participantId: string
}

/** Drops the other members of a record, so that they are neither stored nor sent. */
export const participantRef = ({ participantId, user, device }: ParticipantRef): ParticipantRef => ({
  participantId,
  user,
  device
})

/** The part of a participant's record that is needed to send events to it. Read alone in large rooms. */
export interface ParticipantHead extends ParticipantRef {
  /** The version of the room at which it joined. Null in the commit of the join, which has no version yet. */
  readonly since: number | null
}

export interface ParticipantRecord extends ParticipantHead {
  readonly role: Role
  /** The role in the token or from the room service; null: neither gives one. */
  readonly claimed: Role | null
  /** `claimed` comes from the room service and changes with its answer. */
  readonly isFromService?: true
  /** Since when its device is away; null: it is not. */
  readonly awaySince: number | null
  readonly joinedAt: number
  readonly metadata: Participant['metadata']
  readonly whip?: WhipParticipation
  /** See hidden.ts. */
  readonly hidden?: true
}

/** What a room keeps of a user, for all their devices. It has no effect in a later room with the same id. */
export interface RoomUser {
  /** Distinguishes the room from an earlier one with the same id. */
  readonly roomCreatedAt: number
  /** The devices that are in the room. */
  readonly devices: readonly string[]
  /** The devices that are in the room as hidden participants. Absent: none. */
  readonly hidden?: readonly string[]
  /** The role of the devices that are in the room; null: none is. */
  readonly role: Role | null
  /**
   * A role that a participant assigned to the user. It stands until another one is assigned, or the user comes with another claimed role
   * than `claimed`, the one they had then.
   */
  readonly assigned: { readonly role: Role; readonly claimed: Role | null } | null
  /** The last participations that ended, oldest first. */
  readonly left: readonly { readonly participantId: string; readonly at: number }[]
}

/** `by` null: an operator. `until` null: until the ban is removed. */
export interface BanRecord {
  readonly by: Endpoint | null
  readonly at: number
  readonly until: number | null
}

/** The invitation of a user. */
export interface Invitation {
  readonly invitationId: string
  readonly user: string
  readonly from: ParticipantRef
  /** Empty when it has ended. */
  readonly metadata: Room['metadata']
  /** When it stops ringing by itself. */
  readonly until: number
  /** The invitee blocks the inviter: no device of the invitee receives the invitation or its end. */
  readonly isMuted?: true
  /** Null: it is ringing. */
  readonly ended: { readonly reason: InvitationEnd; readonly by: Endpoint | null; readonly at: number } | null
}

/** The user whose invitation has this id. */
export interface InvitationOwner {
  readonly user: string
}

/** An invitation id that was cancelled before its invitation. */
export interface EarlyCancel {
  readonly by: Endpoint
  readonly at: number
}

/** In characters: 132 bits of a digest, too many to find another device with the same key. */
const DEVICE_KEY_LENGTH = 22

/**
 * Names the record of a device in a room. Participant ids begin with it, so the record is found by the device and by the participant id.
 */
const deviceKeyOf = ({ user, device }: Endpoint) =>
  hash('sha256', joinIds(user, device), 'base64url').slice(0, DEVICE_KEY_LENGTH)

/** `unique` distinguishes this participation from earlier ones of the device. */
export const participantIdOf = (endpoint: Endpoint, unique: string): string => deviceKeyOf(endpoint) + unique

/**
 * The names of the parts of a room. The word before a colon names a group: `participant:` asks for all its parts, `participant::` for the
 * ParticipantHead of each (store/rooms.ts). Ids in names are encoded: an id may be a colon.
 */
export const PART = {
  settings: 'settings',
  /** When the last participant left. Absent while a device is in the room. */
  empty: 'empty',
  /** All participants. */
  participants: 'participant:',
  participantOf: (endpoint: Endpoint) => `participant:${deviceKeyOf(endpoint)}`,
  /** The record of the participant's device, which may hold a later participation of it. */
  participant: (participantId: string) => `participant:${encodeId(participantId).slice(0, DEVICE_KEY_LENGTH)}`,
  participantHeads: 'participant::',
  /** All hidden participants: see hidden.ts. */
  hiddenParticipants: 'hidden:',
  hiddenOf: (endpoint: Endpoint) => `hidden:${deviceKeyOf(endpoint)}`,
  hiddenHeads: 'hidden::',
  /** The record of the hidden participant's device. */
  hidden: (participantId: string) => `hidden:${encodeId(participantId).slice(0, DEVICE_KEY_LENGTH)}`,
  /** When the last hidden participant joined: two that join at once change the same part. */
  hiddenJoin: 'hiddenJoin',
  /** The parts of all users. */
  users: 'user:',
  user: (user: string) => `user:${encodeId(user)}`,
  /** Outlives the room (LASTING in store/rooms.ts). */
  ban: (user: string) => `+ban:${encodeId(user)}`,
  /** The last invitation of a user, ringing or ended. */
  invitation: (user: string) => `invitation:${encodeId(user)}`,
  /** The InvitationOwner of an invitation id. */
  invitationOwner: (invitationId: string) => `invitee:${encodeId(invitationId)}`,
  /** The candidates that a participant has broadcast, see negotiation/broadcast.ts. */
  broadcast: (participantId: string) => `broadcast:${encodeId(participantId)}`,
  /** The SfuSession of a room in mode sfu (domain/sfu/session.ts). */
  sfu: 'sfu',
  /** The TakenEvents of the session (domain/sfu/pushed-events.ts). */
  sfuEvents: 'sfuEvents',
  /** The producers of all participants. */
  producers: 'producer:',
  /** The producers of the participant's device. Deleted when it leaves. */
  producersOf: (endpoint: Endpoint) => `producer:${deviceKeyOf(endpoint)}`,
  /** The same part, by participant id. */
  producersOfParticipant: (participantId: string) => `producer:${encodeId(participantId).slice(0, DEVICE_KEY_LENGTH)}`,
  /** What the media service may have otherwise, of all participants. */
  unsettledMedia: 'unsettled:',
  /** The UnsettledMedia of the participant's device (domain/sfu/unsettled.ts). Deleted when it leaves. */
  unsettledMediaOf: (endpoint: Endpoint) => `unsettled:${deviceKeyOf(endpoint)}`,
  /** The same part, by participant id. */
  unsettledMediaOfParticipant: (participantId: string) =>
    `unsettled:${encodeId(participantId).slice(0, DEVICE_KEY_LENGTH)}`,
  /** The EarlyCancel of an invitation id. */
  earlyCancel: (invitationId: string) => `cancelled:${encodeId(invitationId)}`
} as const

/** The parts of a room that were read. */
export interface RoomParts {
  readonly roomId: string
  readonly version: number
  readonly settings: Settings | null
  readonly emptySince: number | null
  get<T>(part: string): T | null
  /** All parts that were read whose names have this prefix, each with the id that follows in its name. */
  list<T>(prefix: string): readonly (readonly [id: string, part: T])[]
  /** How many devices are in the room. */
  readonly participantCount: number
}

/** All participants except one participant id; one device; or all devices of a user except some. */
type RoomRecipients =
  | { readonly all: true; readonly except?: string }
  | { readonly user: string; readonly device: string }
  | { readonly user: string; readonly except: readonly string[] }

export interface RoomEvent {
  readonly to: RoomRecipients
  readonly type: string
  /** The room id is added by the commit, the version by the fan-out. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface RoomDecision {
  /** Null deletes a part. */
  readonly writes: Readonly<Record<string, object | number | null>>
  /** The store refuses to add a participant beyond this number. */
  readonly participantsMax?: number
  /** Added to the room log. If its id is in the log already, nothing of the decision is written. */
  readonly logEntry?: { readonly id: string; readonly value: object }
  readonly events: readonly RoomEvent[]
  /** What only the systems of the operator receive. */
  readonly operatorEvents?: readonly Pick<RoomEvent, 'type' | 'data'>[]
  /** When the room must be checked because of this decision. */
  readonly deadlineAt?: number
  /** The decision creates the room. */
  readonly createsRoom?: boolean
  /** The room is over after this decision. */
  readonly endsRoom?: boolean
  /** Participants leave or lose a grant, and the media service has to close what they have. */
  readonly endsMedia?: boolean
}

export const NO_CHANGE: RoomDecision = { writes: {}, events: [] }

/** Makes one decision of several. Of two writes of a part the later one counts. */
export function mergeDecisions(one: RoomDecision, ...more: readonly RoomDecision[]): RoomDecision {
  return {
    ...one,
    writes: Object.assign({}, one.writes, ...more.map(({ writes }) => writes)),
    events: [...one.events, ...more.flatMap(({ events }) => events)],
    ...([one, ...more].some(({ endsMedia }) => endsMedia) ? { endsMedia: true } : {})
  }
}

/** An event for all participants except `except`. */
export const roomEvent = (type: string, data: RoomEvent['data'], except?: string): RoomEvent => ({
  to: { all: true, ...(except === undefined ? {} : { except }) },
  type,
  data
})
