// Blocking users.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { BlocksReply } from '../schemas/block.js'
import { Id, Strict } from '../schemas/common.js'
import { problems } from '../schemas/problem.js'
import { blockUser, listBlocks, unblockUser } from '../services/contacts.js'
import type { Context } from '../services/context.js'

const BlockParams = Type.Object({ user: Id('User id', 'mallory') }, { ...Strict })

export const blockRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'PUT',
    url: '/blocks/:user',
    config: { limit: 'signals' },
    schema: {
      operationId: 'blockUser',
      tags: ['blocks'],
      summary: 'Block a user',
      description:
        'Their calls and invitations do not ring on your devices, and they see you as offline: they are answered as if you could not be ' +
        'reached. A call that is going on is not ended. At most 1,000; a block lasts until you remove it, or until it has not been used for a year.',
      params: BlockParams,
      response: {
        204: Type.Null({ description: 'Blocked' }),
        ...problems('invalid_request', 'too_many_blocks', 'rate_limited')
      }
    },
    async handler(request, reply) {
      await blockUser(context, request.actor, request.params.user)
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'DELETE',
    url: '/blocks/:user',
    config: { limit: 'signals' },
    schema: {
      operationId: 'unblockUser',
      tags: ['blocks'],
      summary: 'Unblock a user',
      params: BlockParams,
      response: { 204: Type.Null({ description: 'Not blocked' }), ...problems('invalid_request', 'rate_limited') }
    },
    async handler(request, reply) {
      await unblockUser(context, request.actor, request.params.user)
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'GET',
    url: '/blocks',
    config: { limit: 'reads' },
    schema: {
      operationId: 'listBlocks',
      tags: ['blocks'],
      summary: 'Users you block',
      response: { 200: BlocksReply, ...problems('rate_limited') }
    },
    handler: async request => ({ blocks: [...(await listBlocks(context, request.actor))] })
  })
}
