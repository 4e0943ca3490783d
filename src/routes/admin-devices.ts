// The admin API about the credentials of devices.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { confirmWrites } from '../plugins/confirmed-writes.js'
import {
  CredentialPath,
  CredentialsQuery,
  CredentialsReply,
  CredentialView,
  EnrollmentCode,
  NewDeviceKey,
  PutCredentialRequest
} from '../schemas/device-credential.js'
import { adminProblems, BODY_PROBLEMS } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import {
  createEnrollmentCode,
  createKey,
  getCredential,
  listCredentials,
  putPublicKey,
  revokeCredential
} from '../services/credentials/operate.js'

const tags = ['device credentials'] as const
const WRITES = ['invalid_request', 'too_many_credentials', 'no_device_credentials'] as const

const GET_CREDENTIAL = {
  schema: {
    operationId: 'getDeviceCredential',
    tags,
    summary: "Get a device's credential",
    description: 'Returns what the device proves itself by. Keys are not shown.',
    params: CredentialPath,
    response: { 200: CredentialView, ...adminProblems('invalid_request', 'credential_not_found') }
  }
} as const

const PUT_CREDENTIAL = {
  schema: {
    operationId: 'setDeviceCredential',
    tags,
    summary: "Set a device's public key",
    description:
      'The device proves itself with this key from now on. Another key or a code that it has is valid no longer.',
    params: CredentialPath,
    body: PutCredentialRequest,
    response: { 200: CredentialView, ...adminProblems(...BODY_PROBLEMS, ...WRITES) }
  }
} as const

const DELETE_CREDENTIAL = {
  config: { optionalBody: true },
  schema: {
    operationId: 'removeDeviceCredential',
    tags,
    summary: "Revoke a device's credential",
    description:
      'The device gets no tokens any more, and a code that it has not used is void. It is signed out: on all nodes within a second its tokens and tickets ' +
      'are refused, its streams end (`signed_out`), and it leaves its calls and rooms. Succeeds as well if it has none.',
    params: CredentialPath,
    response: {
      204: Type.Null({ description: 'The device has no credential.' }),
      ...adminProblems('invalid_request', 'too_many_revocations')
    }
  }
} as const

const CREATE_CODE = {
  config: { optionalBody: true },
  schema: {
    operationId: 'createEnrollmentCode',
    tags,
    summary: 'Create an enrollment code',
    description:
      'Anyone who has the code can enroll as this device, once, within ten minutes. It replaces an earlier code. What the device has is valid until ' +
      'the code is used.',
    params: CredentialPath,
    response: { 201: EnrollmentCode, ...adminProblems('unsupported_media_type', ...WRITES) }
  }
} as const

const CREATE_KEY = {
  config: { optionalBody: true },
  schema: {
    operationId: 'createDeviceKey',
    tags,
    summary: 'Create a 256-bit key',
    description:
      'For a device that cannot sign. It replaces a public key or a code. The 256-bit key that the device has is valid until it uses the newest one; ' +
      'keys made in between are void.',
    params: CredentialPath,
    response: { 201: NewDeviceKey, ...adminProblems('unsupported_media_type', ...WRITES) }
  }
} as const

const LIST_CREDENTIALS = {
  schema: {
    operationId: 'listDeviceCredentials',
    tags,
    summary: 'List device credentials',
    description: 'Returns the credentials of all devices, or of those of one user, in a fixed order.',
    querystring: CredentialsQuery,
    response: { 200: CredentialsReply, ...adminProblems('invalid_request') }
  }
} as const

const DEVICE = '/users/:user/devices/:deviceId'

export const adminDeviceRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  confirmWrites(app, context)
  app.get('/device-credentials', LIST_CREDENTIALS, ({ query }) => listCredentials(context, query))
  app.get(`${DEVICE}/credential`, GET_CREDENTIAL, ({ params }) => getCredential(context, ownerIn(params)))
  app.put(`${DEVICE}/credential`, PUT_CREDENTIAL, ({ params, body }) =>
    putPublicKey(context, ownerIn(params), body.publicKey)
  )
  app.delete(`${DEVICE}/credential`, DELETE_CREDENTIAL, async ({ params }, reply) => {
    await revokeCredential(context, ownerIn(params))
    return reply.code(204).send(null)
  })
  app.post(`${DEVICE}/enrollment-codes`, CREATE_CODE, async ({ params }, reply) =>
    reply.code(201).send(await createEnrollmentCode(context, ownerIn(params)))
  )
  app.post(`${DEVICE}/keys`, CREATE_KEY, async ({ params }, reply) =>
    reply.code(201).send(await createKey(context, ownerIn(params)))
  )
}

const ownerIn = ({ user, deviceId }: { user: string; deviceId: string }) => ({ user, device: deviceId })
