// Offer, answer and candidates between participants of a room.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../schemas/problem.js'
import { RoomAnswerBody, RoomCandidatesBody, RoomOfferBody } from '../schemas/room-signal.js'
import { CandidatesReply, DescriptionReply } from '../schemas/signal.js'
import { broadcastCandidates } from '../services/broadcast.js'
import type { Context } from '../services/context.js'
import { sendRoomCandidates, sendRoomDescription } from '../services/pairs.js'
import { RoomParams } from './rooms.js'

const REFUSALS = [
  'malformed_json',
  'invalid_request',
  'too_large',
  'unsupported_media_type',
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
    'Open a negotiation with a participant',
    'When offers cross, the second gets `offer_collision`; of the two, the later joiner is the polite side.',
    RoomOfferBody,
    ['invalid_sdp', 'offer_collision', 'stale_revision']
  ],
  [
    'answer',
    'sendRoomAnswer',
    'Answer a participant’s pending offer',
    'Takes the grant `signal`.',
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
        tags: ['rooms'],
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
      tags: ['rooms'],
      summary: 'Trickle ICE candidates to a participant, or to all others',
      description:
        'A candidate whose description was not posted yet waits for it, for ten minutes; one of an older generation is refused. To all others takes the ' +
        'grant `publish`: a candidate waits once, for everyone to whom its description was not posted yet.',
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
