// What the policy service is asked and what it may answer (openapi/policy-service.yaml).
import { type Static, type TProperties, Type } from 'typebox'
import { Media } from './call.js'
import { CallTo, RingStrategy } from './callee.js'
import { type Endpoint, Metadata, Strict, UserId } from './common.js'
import { type Participant, Role, type Room } from './room.js'

interface CallQuestion {
  readonly action: 'call'
  readonly callId: string
  /** The user who would ring. */
  readonly to: string
  /** The users whom earlier answers redirected away from, oldest first. */
  readonly redirectedFrom: readonly string[]
  readonly media: Static<typeof Media> | null
  readonly metadata: Static<typeof Metadata>
  readonly ringTimeoutMs: number
}

interface TransferQuestion {
  readonly action: 'transfer'
  readonly callId: string
  /** The party that stays. */
  readonly transferee: Endpoint
  /** The user who would ring. */
  readonly to: string
  /** Of an attended transfer: the call of the caller with `to` that ends. */
  readonly toCall?: string
  /** The users whom earlier answers redirected away from, oldest first. */
  readonly redirectedFrom: readonly string[]
  readonly ringTimeoutMs: number
}

interface InvitationQuestion {
  readonly action: 'invitation'
  readonly roomId: string
  readonly invitationId: string
  readonly to: string
  readonly media: Room['callType']
  readonly metadata: Static<typeof Metadata>
  readonly ringTimeoutMs: number
}

interface RoomQuestion {
  readonly action: 'room'
  readonly roomId: string
  /** Of the room that would be made. */
  readonly settings: Pick<
    Room,
    'mode' | 'callType' | 'locked' | 'maxParticipants' | 'defaultRole' | 'p2pFallback' | 'metadata'
  >
}

interface JoinQuestion {
  readonly action: 'join'
  readonly roomId: string
  /** With which the device would join. */
  readonly role: Static<typeof Role>
  readonly via?: NonNullable<Participant['via']>
  readonly metadata: Participant['metadata']
}

interface PresenceQuestion {
  readonly action: 'presence'
  /** The user whose presence would be shown. */
  readonly to: string
}

/** The user who calls, transfers, invites, joins, makes the room or wants to see the presence. */
type Asking = { readonly caller: Endpoint }
export type PolicyQuestion = Asking &
  (CallQuestion | TransferQuestion | InvitationQuestion | RoomQuestion | JoinQuestion | PresenceQuestion)
export type PolicyAction = PolicyQuestion['action']
export type QuestionOf<Action extends PolicyAction> = Extract<PolicyQuestion, { action: Action }>

const RING_TIMEOUT_MS = Type.Integer({ minimum: 5000, maximum: 90_000 })
const HOLDS = { holdsMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })) }

/** For every action. */
export const PolicyDenial = Type.Object(
  { allow: Type.Literal(false), reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })), ...HOLDS },
  { ...Strict }
)
export type PolicyDenial = Static<typeof PolicyDenial>

const allowed = <Rewrites extends TProperties>(rewrites: Rewrites) =>
  Type.Object({ allow: Type.Literal(true), ...rewrites, ...HOLDS }, { ...Strict })

/** An answer that allows the action. What it names replaces what the request has. */
export const POLICY_ALLOWANCES = {
  call: allowed({
    to: Type.Optional(CallTo),
    ringStrategy: Type.Optional(RingStrategy),
    media: Type.Optional(Media),
    metadata: Type.Optional(Metadata),
    ringTimeoutMs: Type.Optional(RING_TIMEOUT_MS),
    maxDurationMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: 2_147_483_647 }))
  }),
  transfer: allowed({ to: Type.Optional(UserId()), ringTimeoutMs: Type.Optional(RING_TIMEOUT_MS) }),
  invitation: allowed({ metadata: Type.Optional(Metadata), ringTimeoutMs: Type.Optional(RING_TIMEOUT_MS) }),
  room: allowed({}),
  join: allowed({ role: Type.Optional(Role) }),
  presence: allowed({})
} as const satisfies Record<PolicyAction, unknown>

type PolicyAllowances = { readonly [Action in PolicyAction]: Static<(typeof POLICY_ALLOWANCES)[Action]> }
export type PolicyAllowance<Action extends PolicyAction> = PolicyAllowances[Action]
export type PolicyAnswer<Action extends PolicyAction = PolicyAction> = PolicyDenial | PolicyAllowance<Action>
