// The admin API about users: what they have, signing them out, and refusing their earlier tokens.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  AdminDevicePath,
  AdminUserPath,
  AdminUserReply,
  RefuseTokensRequest,
  RevocationReply
} from '../schemas/admin-user.js'
import { adminProblems, BODY_PROBLEMS } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { acceptTokens, getUser, refuseTokens, signOutForOperator } from '../services/operator/users.js'

const tags = ['users'] as const

const GET_USER = {
  schema: {
    operationId: 'getUserForOperator',
    tags,
    summary: 'Get a user',
    description: 'Returns the devices, presence, calls and rooms of a user, and which of their tokens are refused.',
    params: AdminUserPath,
    response: { 200: AdminUserReply, ...adminProblems('invalid_request') }
  }
} as const

const ENDS_WITH_IT =
  'On all nodes within a second its streams and polls end (`signed_out`), and the tokens and tickets that it has are refused (`token_revoked`). Its calls ' +
  'are hung up, it leaves its rooms, also with its WHIP and WHEP clients, and its mailbox and push subscription are deleted. What rings for no other ' +
  'device of the user stops ringing: the caller receives `no_answer`. Tokens that the identity provider issues from the next second on are ' +
  'accepted: sign the user out there first.'

const SIGN_OUT = {
  config: { optionalBody: true },
  schema: { tags, response: { 200: RevocationReply, ...adminProblems('invalid_request', 'too_many_revocations') } }
} as const

const SIGN_OUT_USER = {
  config: SIGN_OUT.config,
  schema: {
    ...SIGN_OUT.schema,
    operationId: 'signOutUser',
    summary: 'Sign a user out',
    description: `Signs every device of the user out. ${ENDS_WITH_IT}`,
    params: AdminUserPath
  }
} as const

const SIGN_OUT_DEVICE = {
  config: SIGN_OUT.config,
  schema: {
    ...SIGN_OUT.schema,
    operationId: 'signOutDevice',
    summary: 'Sign a device out',
    description:
      `Signs one device out; the others are untouched. ${ENDS_WITH_IT} A token that does not name a device is good for any other device of the user: sign ` +
      'the user out if such a token is in the wrong hands.',
    params: AdminDevicePath
  }
} as const

const REFUSAL =
  'Streams and polls that were opened with such a token end (`auth_expired`), on all nodes within a second; their clients come back with a new token. A ' +
  'repeat with an earlier time changes nothing: accept the tokens first.'

const REFUSE_TOKENS = {
  config: { audited: ['issuedAfter'] },
  schema: {
    tags,
    body: RefuseTokensRequest,
    response: { 200: RevocationReply, ...adminProblems(...BODY_PROBLEMS, 'too_many_revocations') }
  }
} as const

const REFUSE_USER_TOKENS = {
  config: REFUSE_TOKENS.config,
  schema: {
    ...REFUSE_TOKENS.schema,
    operationId: 'refuseUserTokens',
    summary: "Refuse a user's earlier tokens",
    description: `Refuses the tokens of the user, for all devices, that were issued at or before a time. ${REFUSAL}`,
    params: AdminUserPath
  }
} as const

const REFUSE_DEVICE_TOKENS = {
  config: REFUSE_TOKENS.config,
  schema: {
    ...REFUSE_TOKENS.schema,
    operationId: 'refuseDeviceTokens',
    summary: "Refuse a device's earlier tokens",
    description: `Refuses the tokens of one device that were issued at or before a time. ${REFUSAL}`,
    params: AdminDevicePath
  }
} as const

const ACCEPT_TOKENS = {
  config: { optionalBody: true },
  schema: {
    tags,
    response: { 204: Type.Null({ description: 'No token is refused.' }), ...adminProblems('invalid_request') }
  }
} as const

const ACCEPT_USER_TOKENS = {
  config: ACCEPT_TOKENS.config,
  schema: {
    ...ACCEPT_TOKENS.schema,
    operationId: 'acceptUserTokens',
    summary: "Accept a user's earlier tokens",
    description:
      'Lifts what refuses the tokens of all devices of the user, a sign-out included. What refuses the tokens of one device stays.',
    params: AdminUserPath
  }
} as const

const ACCEPT_DEVICE_TOKENS = {
  config: ACCEPT_TOKENS.config,
  schema: {
    ...ACCEPT_TOKENS.schema,
    operationId: 'acceptDeviceTokens',
    summary: "Accept a device's earlier tokens",
    description:
      'Lifts what refuses the tokens of this device, a sign-out included. What refuses the tokens of all devices stays.',
    params: AdminDevicePath
  }
} as const

export const adminUserRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  const user = '/users/:user'
  // HTTP clients shorten `devices/../sign-out`, for a device with the invalid id `..`. What is left must not be about the whole user.
  const [all, device] = [`${user}/all-devices`, `${user}/devices/:deviceId`]
  app.get(user, GET_USER, ({ params }) => getUser(context, params.user))
  app.post(`${all}/sign-out`, SIGN_OUT_USER, ({ params }) => signOutForOperator(context, params))
  app.post(`${device}/sign-out`, SIGN_OUT_DEVICE, ({ params }) => signOutForOperator(context, params))
  app.put(`${all}/tokens`, REFUSE_USER_TOKENS, ({ params, body }) => refuseTokens(context, params, body))
  app.put(`${device}/tokens`, REFUSE_DEVICE_TOKENS, ({ params, body }) => refuseTokens(context, params, body))
  app.delete(`${all}/tokens`, ACCEPT_USER_TOKENS, async ({ params }, reply) => {
    await acceptTokens(context, params)
    return reply.code(204).send(null)
  })
  app.delete(`${device}/tokens`, ACCEPT_DEVICE_TOKENS, async ({ params }, reply) => {
    await acceptTokens(context, params)
    return reply.code(204).send(null)
  })
}
