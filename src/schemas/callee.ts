// The users whom a call is for.
import { type Static, Type } from 'typebox'
import { DeviceId, Nullable, Strict, UserId } from './common.js'

export const Callee = Type.Object(
  { user: UserId(), device: Nullable(DeviceId(), 'The device that answered. Null until one has.') },
  { $id: 'Callee', description: 'The user who is called, and the device that answered.', ...Strict }
)

export const CallParty = Type.Object(
  { user: UserId(), device: Nullable(DeviceId(), 'The device that acted. Null if the callee acted before answering.') },
  { $id: 'CallParty', description: 'A side of the call that did something.', ...Strict }
)

export const CalleeReason = Type.Enum(
  ['declined', 'busy', 'no_answer', 'unreachable', 'answered_elsewhere', 'cancelled'],
  {
    $id: 'CalleeReason',
    description:
      'Why one of several callees does not ring any more. `unreachable`: no device could be rung. `answered_elsewhere`: another callee ' +
      'answered. `cancelled`: you withdrew the call. The others are reasons of a call.'
  }
)

export const CalleeStatus = Type.Object(
  {
    user: UserId(),
    device: Nullable(DeviceId(), 'The device that answered. Null until one has.'),
    state: Type.Enum(['waiting', 'ringing', 'answered', 'ended'], {
      $id: 'CalleeState',
      description: '`waiting`: rings after the ones before it.'
    }),
    reason: Nullable(CalleeReason, 'Given with `ended`. Null also if the server ended the call.')
  },
  { $id: 'CalleeStatus', description: 'One of several callees.', ...Strict }
)
export type CalleeStatus = Static<typeof CalleeStatus>

export const RingTimeoutMs = (description: string) => Type.Integer({ minimum: 5000, maximum: 90_000, description })

const device = Type.Optional(DeviceId('The only device to ring. Left out: all devices of the user.'))
export const CallTarget = Type.Object(
  { user: UserId('The user to call.'), device },
  { $id: 'CallTarget', description: 'A user, or one device of a user.', ...Strict }
)

export const CallTargetOfSeveral = Type.Object(
  {
    user: UserId('The user to call.'),
    device,
    ringTimeoutMs: Type.Optional(RingTimeoutMs('How long to ring this user. That of the request by default.'))
  },
  { $id: 'CallTargetOfSeveral', description: 'A user, or one device of a user, and how long to ring.', ...Strict }
)

export const CALLEES_MAX = 8

export const CallTargets = Type.Array(Type.Union([UserId('The user to call.'), CallTargetOfSeveral]), {
  $id: 'CallTargets',
  minItems: 1,
  maxItems: CALLEES_MAX,
  description: 'Several users, none of them twice. The first who accepts is in the call.'
})
export type CallTargets = Static<typeof CallTargets>

export const CallTo = Type.Union([UserId('The user to call.'), CallTarget, CallTargets], {
  description: 'Whom to call: a user, one device of a user, or up to 8 of them.'
})
export type CallTo = Static<typeof CallTo>

export const RingStrategy = Type.Enum(['all', 'sequence'], {
  $id: 'RingStrategy',
  description:
    'How several users ring. `all` (default): at once. `sequence`: each one when the one before has declined, is busy or did not answer.'
})
export type RingStrategy = Static<typeof RingStrategy>
