// How the push service reaches a device.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { DeviceParams, SetPushSubscriptionRequest } from '../schemas/push.js'
import type { Context } from '../services/context.js'
import { removePushSubscription, setPushSubscription } from '../services/push/subscriptions.js'

const SET_PUSH_SUBSCRIPTION = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'setPushSubscription',
    tags: ['push'],
    summary: 'Let a push wake this device',
    description:
      'Stores how this device is woken when a call rings and it is not online. Send it at each start of your app, and when the push service ' +
      'gives you another subscription or token. It is kept for 90 days, also when the device is forgotten; signing the device off removes ' +
      'it. You can have `MAX_DEVICES_PER_USER`; one more replaces the oldest.',
    params: DeviceParams,
    body: SetPushSubscriptionRequest,
    response: {
      204: Type.Null({ description: 'The subscription is stored.' }),
      ...problems(...BODY_PROBLEMS, 'no_push', 'rate_limited')
    }
  }
} as const

const REMOVE_PUSH_SUBSCRIPTION = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'removePushSubscription',
    tags: ['push'],
    summary: 'No longer wake this device',
    description: 'Calls wake this device no longer. Succeeds as well if it has no subscription.',
    params: DeviceParams,
    response: {
      204: Type.Null({ description: 'The device has no subscription.' }),
      ...problems(...BODY_PROBLEMS, 'rate_limited')
    }
  }
} as const

export const pushRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/devices/:deviceId/push', SET_PUSH_SUBSCRIPTION, async (request, reply) => {
    await setPushSubscription(context, request.actor, request.body)
    return reply.code(204).send(null)
  })

  app.delete('/devices/:deviceId/push', REMOVE_PUSH_SUBSCRIPTION, async (request, reply) => {
    await removePushSubscription(context, request.actor)
    return reply.code(204).send(null)
  })
}
