// The bodies of transfers, and why they fail.
import { type Static, Type } from 'typebox'
import { CallTarget } from './callee.js'
import { CallId, DeviceId, DurationMs, Nullable, Strict, UserId } from './common.js'

export const Side = Type.Enum(['caller', 'callee'], { $id: 'Side', description: 'A side of the call.' })

export const TransferTarget = Type.Object(
  { user: UserId(), device: Nullable(DeviceId(), 'The only device that rings. Null: all devices of the user.') },
  { $id: 'TransferTarget', description: 'The user to whom a call is transferred.', ...Strict }
)

export const ToCall = CallId(
  'Of an attended transfer: the other call of its two users, which ends when the target accepts. Missing: there is none.'
)

export const ConsultationOf = CallId(
  'A connected call that your device is in, to consult another user while it goes on, best on hold: this one more call does not count against ' +
    '`MAX_CALLS_PER_USER`. `POST …/transfer` with `toCall` then joins the other two.'
)

export const PendingTransfer = Type.Object(
  { by: Side, to: TransferTarget, toCall: Type.Optional(ToCall), expiresInMs: DurationMs('Ring time left.') },
  {
    $id: 'PendingTransfer',
    description:
      'Given while the target of a transfer rings and both parties are in the call: who transfers it, and to whom.',
    ...Strict
  }
)

export const TransferCallRequest = Type.Object(
  {
    to: Type.Optional(
      Type.Union([UserId('The user to transfer the call to.'), CallTarget], {
        description: 'A user, or one device of a user. Give either `to` or `toCall`.'
      })
    ),
    toCall: Type.Optional(
      CallId(
        'An attended transfer: another connected call of your device. Its other party is joined with that of this call.'
      )
    ),
    ringTimeoutMs: Type.Optional(
      Type.Integer({ minimum: 5000, maximum: 90_000, description: 'How long to ring. `RING_TIMEOUT_MS` by default.' })
    )
  },
  {
    $id: 'TransferCallRequest',
    ...Strict
  }
)
export type TransferCallRequest = Static<typeof TransferCallRequest>

export const TransferFailure = Type.Enum(['declined', 'busy', 'no_answer', 'cancelled'], {
  $id: 'TransferFailure',
  description:
    'Why the target did not take the call. `declined`: the user declined. `busy`: the user has accepted another call. `no_answer`: the ' +
    'ring time ran out. `cancelled`: the transferor took the transfer back.'
})
