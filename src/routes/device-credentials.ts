// How a device without an identity provider gets its tokens. These requests have no token yet: each is charged to the address.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { chargeAddress } from '../plugins/address-limits.js'
import { checkBodyHeaders } from '../plugins/bodies.js'
import { confirmWrites } from '../plugins/confirmed-writes.js'
import { Endpoint } from '../schemas/common.js'
import {
  DeviceToken,
  DeviceTokenRequest,
  EnrollDeviceRequest,
  NonceReply,
  SetDeviceKeyRequest
} from '../schemas/device-credential.js'
import { BODY_PROBLEMS, onlyProblems, problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { enrollDevice, setDeviceKey } from '../services/credentials/enrollment.js'
import { issueNonce } from '../services/credentials/nonces.js'
import { issueDeviceToken } from '../services/credentials/tokens.js'

const ALWAYS = ['no_device_credentials', 'rate_limited', 'store_unavailable', 'store_full', 'internal'] as const

const ENROLL_DEVICE = {
  schema: {
    operationId: 'enrollDevice',
    tags: ['device credentials'],
    summary: 'Enroll a device',
    description:
      'The device makes an Ed25519 key and sends the public part, with the code that an operator gave it. The reply names the user and the ' +
      'device that it is from now on. A code is valid for one key; a repeat with that key gets the same reply.',
    security: [],
    body: EnrollDeviceRequest,
    response: {
      200: Endpoint,
      ...onlyProblems(...BODY_PROBLEMS, 'invalid_enrollment_code', 'invalid_credential', ...ALWAYS)
    }
  }
} as const

const CREATE_DEVICE_NONCE = {
  config: { optionalBody: true },
  schema: {
    operationId: 'createDeviceNonce',
    tags: ['device credentials'],
    summary: 'Get a nonce',
    description: 'Returns a nonce, which a device signs to get a token. It can be used once.',
    security: [],
    response: { 200: NonceReply, ...onlyProblems(...BODY_PROBLEMS, ...ALWAYS) }
  }
} as const

const CREATE_DEVICE_TOKEN = {
  schema: {
    operationId: 'createDeviceToken',
    tags: ['device credentials'],
    summary: 'Get a token',
    description:
      'Returns a token for a device that proves itself: by signing a nonce, or by its 256-bit key. The refusal is the same whether the device ' +
      'does not exist or the proof is wrong. A device gets at most 20 tokens a minute.',
    security: [],
    body: DeviceTokenRequest,
    response: { 200: DeviceToken, ...onlyProblems(...BODY_PROBLEMS, 'invalid_credential', 'invalid_nonce', ...ALWAYS) }
  }
} as const

const SET_DEVICE_KEY = {
  config: { limit: 'signals', bearerOnly: true },
  schema: {
    operationId: 'setDeviceKey',
    tags: ['device credentials'],
    summary: "Replace this device's key",
    description:
      'From now on the device proves itself with another Ed25519 key. It signs with both: what is valid now, and the new key. Tokens that it has ' +
      'stay valid until they expire.',
    body: SetDeviceKeyRequest,
    response: {
      204: Type.Null({ description: 'The new key is valid.' }),
      ...problems(...BODY_PROBLEMS, 'invalid_credential', 'no_device_credentials', 'rate_limited')
    }
  }
} as const

/** Without a token. */
export const deviceCredentialRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    chargeAddress(context.addresses, request)
  })
  checkBodyHeaders(app)
  confirmWrites(app, context)
  app.post('/device/enroll', ENROLL_DEVICE, ({ body }) => enrollDevice(context, body))
  app.post('/device/nonce', CREATE_DEVICE_NONCE, async () => issueNonce(context))
  app.post('/device/token', CREATE_DEVICE_TOKEN, ({ body }) => issueDeviceToken(context, body))
}

/** With the device's own token. */
export const deviceKeyRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/device/key', SET_DEVICE_KEY, async ({ actor, body }, reply) => {
    await setDeviceKey(context, actor, body)
    return reply.code(204).send(null)
  })
}
