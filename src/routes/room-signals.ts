// Offer, answer and candidates between participants of a room.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { RoomAnswerBody, RoomCandidatesBody, RoomOfferBody } from '../schemas/room-signal.js'
import { CandidatesReply, DescriptionReply } from '../schemas/signal.js'
import type { Context } from '../services/context.js'
import { broadcastCandidates } from '../services/room/broadcast.js'
import { sendRoomCandidates, sendRoomDescription } from '../services/room/pairs.js'
import { RoomParams } from './rooms.js'

const REFUSALS = [
  ...BODY_PROBLEMS,
  'room_not_found',
  'room_closed',
  'not_in_room',
  'not_permitted',
  'banned',
  'participant_not_found',
  'cannot_signal_self',
  'room_service_unavailable',
  'rate_limited'
] as const

const DESCRIPTIONS = [
  [
    'offer',
    'sendRoomOffer',
    'Send an offer to a participant',
    'Starts a negotiation with one participant, who receives `signal.offer`. If that participant has an offer pending for you, yours fails ' +
      'with `offer_collision`; of the two, the one who joined later is the polite side and rolls back. Requires the grant `signal`.',
    RoomOfferBody,
    ['invalid_sdp', 'offer_collision', 'stale_revision']
  ],
  [
    'answer',
    'sendRoomAnswer',
    'Send an answer to a participant',
    'Answers the pending offer of a participant, who receives `signal.answer`. Requires the grant `signal`.',
    RoomAnswerBody,
    ['invalid_sdp', 'no_offer_pending', 'stale_revision']
  ]
] as const

export const roomSignalRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  for (const [type, operationId, summary, description, body, refusals] of DESCRIPTIONS) {
    app.route({
      method: 'POST',
      url: `/rooms/:roomId/${type}`,
      config: { limit: 'signals' },
      schema: {
        operationId,
        tags: ['room signals'],
        summary,
        description,
        params: RoomParams,
        body,
        response: { 202: DescriptionReply, ...problems(...REFUSALS, ...refusals) }
      },
      handler: async (request, reply) =>
        reply
          .code(202)
          .send(await sendRoomDescription(context, request.actor, request.params.roomId, { ...request.body, type }))
    })
  }

  app.route({
    method: 'POST',
    url: '/rooms/:roomId/candidates',
    config: { limit: 'signals' },
    schema: {
      operationId: 'sendRoomCandidates',
      tags: ['room signals'],
      summary: 'Send ICE candidates in a room',
      description:
        'Sends candidates to one participant, who receives `signal.candidates`. Without `to` they go to all others; that requires the grant ' +
        '`publish`. Candidates may be sent before their description: they wait for it for up to ten minutes. Candidates of an older ICE ' +
        'generation fail with `stale_candidate`.',
      params: RoomParams,
      body: RoomCandidatesBody,
      response: {
        202: CandidatesReply,
        ...problems(...REFUSALS, 'invalid_candidate', 'stale_candidate', 'too_many_held')
      }
    },
    async handler({ actor, params: { roomId }, body: { to, ...batch } }, reply) {
      const sent =
        to === undefined
          ? broadcastCandidates(context, actor, roomId, batch)
          : sendRoomCandidates(context, actor, roomId, { to, ...batch })
      return reply.code(202).send(await sent)
    }
  })
}
