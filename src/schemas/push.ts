// Where the push service reaches a device.
import { type Static, Type } from 'typebox'
import { DeviceId, Strict } from './common.js'

export const PUSH_ENDPOINT_MAX_LENGTH = 2048
export const PUSH_TOKEN_MAX_LENGTH = 1024

export const WhenOffline = Type.Enum(['reject', 'ring'], {
  $id: 'WhenOffline',
  description:
    'If no device of the callee is registered or can be woken by a push: `reject` refuses the call, `ring` waits for a device. ' +
    '`OFFLINE_CALLS` by default.'
})

export const DeviceParams = Type.Object({ deviceId: DeviceId('One of your devices: the one that sends this.') }, Strict)

/** One schema for all types and not a union, so that a mistake is reported with the path of its member. Its bounds: domain/push/subscription.ts. */
export const SetPushSubscriptionRequest = Type.Object(
  {
    type: Type.Enum(['webpush', 'apns', 'fcm'], {
      $id: 'PushType',
      description: 'The push service: `webpush` (RFC 8030), `apns` (VoIP notifications) or `fcm`.'
    }),
    endpoint: Type.Optional(
      Type.String({
        maxLength: PUSH_ENDPOINT_MAX_LENGTH,
        description: 'For `webpush`: the `https` URL at the push service.',
        examples: ['https://push.example.com/v1/send/cXJzdHV2d3h5eg']
      })
    ),
    keys: Type.Optional(
      Type.Object(
        {
          p256dh: Type.String({ maxLength: 128, description: 'The public key of the subscription, base64url.' }),
          auth: Type.String({ maxLength: 64, description: 'Its authentication secret, base64url.' })
        },
        { $id: 'PushKeys', description: 'For `webpush`: the keys that encrypt messages (RFC 8291).' }
      )
    ),
    expirationTime: Type.Optional(
      Type.Unsafe<number | null>({
        type: ['number', 'null'],
        description: 'For `webpush`: when the subscription expires, in milliseconds since 1970.'
      })
    ),
    token: Type.Optional(
      Type.String({
        maxLength: PUSH_TOKEN_MAX_LENGTH,
        description: 'For `apns` and `fcm`: the token of the app on this device.'
      })
    ),
    topic: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        maxLength: 255,
        description: 'For `apns`: the topic, `<bundle id>.voip`. Without it the one that the operator has set.'
      })
    ),
    sandbox: Type.Optional(
      Type.Unsafe<boolean | null>({
        type: ['boolean', 'null'],
        description: 'For `apns`: the token is of a development build.'
      })
    )
  },
  {
    $id: 'SetPushSubscriptionRequest',
    description:
      'How to wake this device. For `webpush` what `PushSubscription.toJSON()` returns, with `type`. Members that do not belong to the type, or ' +
      'are not listed, are ignored.'
  }
)
export type SetPushSubscriptionRequest = Static<typeof SetPushSubscriptionRequest>
