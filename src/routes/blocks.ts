// Blocking users.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { BlocksReply } from '../schemas/block.js'
import { Strict, UserId } from '../schemas/common.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { blockUser, listBlocks, unblockUser } from '../services/call/contacts.js'
import type { Context } from '../services/context.js'

const BlockParams = Type.Object({ user: UserId() }, { ...Strict })

const BLOCK_USER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'blockUser',
    tags: ['blocks'],
    summary: 'Block a user',
    description:
      'Their calls and invitations no longer ring on your devices, and they see you as offline: their calls are answered as if none of your ' +
      'devices could be reached. A call in progress is not ended. You can block up to 1,000 users. A block lasts until you remove it, or ' +
      'until it has not been used for a year.',
    params: BlockParams,
    response: {
      204: Type.Null({ description: 'The user is blocked.' }),
      ...problems(...BODY_PROBLEMS, 'too_many_blocks', 'rate_limited')
    }
  }
} as const

const UNBLOCK_USER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'unblockUser',
    tags: ['blocks'],
    summary: 'Unblock a user',
    description: 'Their calls and invitations ring on your devices again. Succeeds as well if the user is not blocked.',
    params: BlockParams,
    response: {
      204: Type.Null({ description: 'The user is not blocked.' }),
      ...problems(...BODY_PROBLEMS, 'rate_limited')
    }
  }
} as const

const LIST_BLOCKS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'listBlocks',
    tags: ['blocks'],
    summary: 'List blocked users',
    description: 'Returns the users you block.',
    response: { 200: BlocksReply, ...problems('rate_limited') }
  }
} as const

export const blockRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/blocks/:user', BLOCK_USER, async (request, reply) => {
    await blockUser(context, request.actor, request.params.user)
    return reply.code(204).send(null)
  })

  app.delete('/blocks/:user', UNBLOCK_USER, async (request, reply) => {
    await unblockUser(context, request.actor, request.params.user)
    return reply.code(204).send(null)
  })

  app.get('/blocks', LIST_BLOCKS, async request => ({ blocks: [...(await listBlocks(context, request.actor))] }))
}
