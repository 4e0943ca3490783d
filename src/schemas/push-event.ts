// The webhook that wakes devices.
import { type Static, Type } from 'typebox'
import { Media } from './call.js'
import { CallId, DeviceId, DurationMs, Endpoint, Metadata, Nullable, Strict, UserId } from './common.js'
import { SetPushSubscriptionRequest } from './push.js'
import { Event } from './stream.js'

const PushDevice = Type.Object(
  { device: DeviceId(), subscription: SetPushSubscriptionRequest },
  { $id: 'PushDevice', description: 'A device to wake, and how the push service reaches it.', ...Strict }
)

const PushData = Type.Object(
  {
    kind: Type.Enum(['incoming', 'cancelled'], {
      $id: 'PushKind',
      description: '`incoming`: a call rings. `cancelled`: it has stopped ringing, and these devices may still show it.'
    }),
    callId: CallId(),
    user: UserId('The callee.'),
    from: Endpoint,
    media: Nullable(Media),
    metadata: Metadata,
    expiresInMs: DurationMs('How long the message is of use: of `incoming` the remaining ring time.'),
    devices: Type.Array(PushDevice, { description: 'Empty: no device has a subscription, and none is online.' })
  },
  { $id: 'PushData', ...Strict }
)
export type PushData = Static<typeof PushData>

export const PushEvent = Event(
  'push',
  'Devices of the callee are to be woken. A reply `{"gone": ["phone"]}` removes the subscriptions of these devices.',
  PushData
)
