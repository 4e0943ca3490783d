// Asking users into a room. The first decline and cancel are never rate limited; repeats are charged as reads.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Strict } from '../schemas/common.js'
import { AcceptInvitationReply, DeclineReply, InvitationId, InviteBody, InviteReply } from '../schemas/invitation.js'
import { problems } from '../schemas/problem.js'
import { RoomId } from '../schemas/room.js'
import type { Context } from '../services/context.js'
import { acceptInvitation, cancelInvitation, declineInvitation, inviteUsers } from '../services/invitations.js'
import { RoomParams } from './rooms.js'

const InvitationParams = Type.Object({ roomId: RoomId, invitationId: InvitationId }, { ...Strict })

const InviteHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      description: 'Instead of an invitationId: the same key of the same inviter is the same invitation of each user'
    })
  )
})

const ENDED = ['invalid_request', 'invitation_not_found', 'invitation_ended'] as const

export const invitationRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/rooms/:roomId/invitations',
    config: { limit: 'calls' },
    schema: {
      operationId: 'inviteUsers',
      tags: ['rooms'],
      summary: 'Ring users into the room you are in',
      description:
        'Every registered device of each user gets `room.invitation`, and so does one that comes while it rings. Takes the grant ' +
        '`join` and being in the room; if it is locked, `moderate`. 201 if a user rings who did not before, else 200.',
      headers: InviteHeaders,
      params: RoomParams,
      body: InviteBody,
      response: {
        201: InviteReply,
        200: InviteReply,
        ...problems(
          ...(['malformed_json', 'invalid_request', 'too_large', 'unsupported_media_type'] as const),
          ...(['room_not_found', 'room_closed', 'not_in_room', 'not_permitted', 'banned'] as const),
          ...(['invitation_id_taken', 'too_many_invitations', 'room_service_unavailable'] as const),
          ...(['policy_unavailable', 'rate_limited'] as const)
        )
      }
    },
    async handler(request, reply) {
      const { actor, params, body, headers } = request
      const idempotencyKey = headers['idempotency-key']
      const { isNew, ...invited } = await inviteUsers(context, actor, params.roomId, { body, idempotencyKey })
      return reply.code(isNew ? 201 : 200).send(invited)
    }
  })

  app.route({
    method: 'POST',
    url: '/rooms/:roomId/invitations/:invitationId/accept',
    config: { limit: 'signals' },
    schema: {
      operationId: 'acceptInvitation',
      tags: ['rooms'],
      summary: 'Say that you are coming; then join',
      description:
        'The first answer wins; your other devices get `accepted_elsewhere`. To join without this says it too. Lets you in past ' +
        'a lock for as long as the invitation is kept (RETENTION_MS), unless a moderator puts you out.',
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
    },
    handler: request => acceptInvitation(context, request.actor, request.params)
  })

  app.route({
    method: 'POST',
    url: '/rooms/:roomId/invitations/:invitationId/decline',
    config: { limit: false },
    schema: {
      operationId: 'declineInvitation',
      tags: ['rooms'],
      summary: 'Say no, for all your devices',
      params: InvitationParams,
      response: { 200: DeclineReply, ...problems(...ENDED, 'rate_limited') }
    },
    handler: async request => ({ invitation: await declineInvitation(context, request.actor, request.params) })
  })

  app.route({
    method: 'DELETE',
    url: '/rooms/:roomId/invitations/:invitationId',
    config: { limit: false },
    schema: {
      operationId: 'cancelInvitation',
      tags: ['rooms'],
      summary: 'Ring no longer',
      description:
        'By the inviter; another user’s invitation takes the grant `moderate`. If it comes before its invitation, from a participant ' +
        'of the room, the late invitation is answered `cancelled` and rings no device.',
      params: InvitationParams,
      response: {
        204: Type.Null({ description: 'It rings no more' }),
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
    },
    async handler(request, reply) {
      await cancelInvitation(context, request.actor, request.params)
      return reply.code(204).send(null)
    }
  })
}
