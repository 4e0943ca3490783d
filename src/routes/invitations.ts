// Invitations to a room. The first decline and cancel are never rate limited; repeats are charged as reads.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { InvitationId, RoomId, Strict } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import {
  AcceptInvitationReply,
  DeclineInvitationReply,
  InviteUsersReply,
  InviteUsersRequest
} from '../schemas/invitation.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { acceptInvitation, cancelInvitation, declineInvitation, inviteUsers } from '../services/room/invitations.js'
import { RoomParams } from './rooms.js'

const InvitationParams = Type.Object({ roomId: RoomId(), invitationId: InvitationId() }, { ...Strict })

const ENDED = [...BODY_PROBLEMS, 'invitation_not_found', 'invitation_ended'] as const

const INVITE_USERS = {
  config: { limit: 'calls' },
  schema: {
    operationId: 'inviteUsers',
    tags: ['invitations'],
    summary: 'Invite users',
    description:
      'Rings every registered device of each user: they receive `room.invitation`. Returns 201 if at least one invitation is new, else 200; ' +
      'users who could not be invited are listed in `refused`. Requires a participant with the grant `join`; in a locked room, `moderate`.',
    headers: IdempotencyHeaders,
    params: RoomParams,
    body: InviteUsersRequest,
    response: {
      201: InviteUsersReply,
      200: InviteUsersReply,
      ...problems(
        ...BODY_PROBLEMS,
        ...(['room_not_found', 'room_closed', 'not_in_room', 'not_permitted', 'banned'] as const),
        ...(['invitation_id_taken', 'too_many_invitations', 'room_service_unavailable'] as const),
        ...(['policy_unavailable', 'rate_limited'] as const)
      )
    }
  }
} as const

const ACCEPT_INVITATION = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'acceptInvitation',
    tags: ['invitations'],
    summary: 'Accept an invitation',
    description:
      'Then join the room with `joinRoom`; joining directly accepts the invitation as well. Your other devices receive ' +
      '`room.invitation_ended` with `accepted_elsewhere`. An accepted invitation lets you into a locked room for `RETENTION_MS`, unless a ' +
      'moderator removes you.',
    params: InvitationParams,
    response: {
      200: AcceptInvitationReply,
      ...problems(
        ...ENDED,
        'room_not_found',
        'room_closed',
        'not_permitted',
        'banned',
        'too_many_devices',
        'room_service_unavailable',
        'rate_limited'
      )
    }
  }
} as const

const DECLINE_INVITATION = {
  config: { limit: false },
  schema: {
    operationId: 'declineInvitation',
    tags: ['invitations'],
    summary: 'Decline an invitation',
    description:
      'Declines it for all your devices. The inviter receives `room.invitation_ended`. The first decline of an invitation is never rate limited.',
    params: InvitationParams,
    response: { 200: DeclineInvitationReply, ...problems(...ENDED, 'rate_limited') }
  }
} as const

const CANCEL_INVITATION = {
  config: { limit: false },
  schema: {
    operationId: 'cancelInvitation',
    tags: ['invitations'],
    summary: 'Cancel an invitation',
    description:
      'Ends an invitation that is ringing. Allowed for the inviter; for an invitation of another user it requires the grant `moderate`. A ' +
      'cancel that arrives before its invitation prevents it: the invitation is returned as `cancelled` and rings no device. The first cancel ' +
      'of an invitation is never rate limited.',
    params: InvitationParams,
    response: {
      204: Type.Null({ description: 'The invitation is no longer active.' }),
      ...problems(
        'rate_limited',
        ...ENDED,
        'room_not_found',
        'room_closed',
        'not_in_room',
        'not_permitted',
        'banned',
        'too_many_invitations'
      )
    }
  }
} as const

export const invitationRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/rooms/:roomId/invitations', INVITE_USERS, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const { isNew, ...invited } = await inviteUsers(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(isNew ? 201 : 200).send(invited)
  })

  app.post('/rooms/:roomId/invitations/:invitationId/accept', ACCEPT_INVITATION, request =>
    acceptInvitation(context, request.actor, request.params)
  )

  app.post('/rooms/:roomId/invitations/:invitationId/decline', DECLINE_INVITATION, async request => ({
    invitation: await declineInvitation(context, request.actor, request.params)
  }))

  app.delete('/rooms/:roomId/invitations/:invitationId', CANCEL_INVITATION, async (request, reply) => {
    await cancelInvitation(context, request.actor, request.params)
    return reply.code(204).send(null)
  })
}
