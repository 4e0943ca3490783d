// Offer, answer and candidates of a call.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../schemas/problem.js'
import { AnswerBody, CandidatesBody, CandidatesReply, DescriptionReply, OfferBody } from '../schemas/signal.js'
import type { Context } from '../services/context.js'
import { sendCandidates, sendDescription } from '../services/signals.js'
import { CallParams } from './calls.js'

const REFUSALS = [
  'malformed_json',
  'invalid_request',
  'too_large',
  'unsupported_media_type',
  'call_not_found',
  'other_device',
  'wrong_state',
  'call_ended',
  'rate_limited'
] as const

export const signalRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/calls/:callId/offer',
    config: { limit: 'signals' },
    schema: {
      operationId: 'sendOffer',
      tags: ['signals'],
      summary: 'Open a negotiation: the first one, a renegotiation or an ICE restart',
      description:
        'The caller makes the first offer. One negotiation is in flight at a time: when offers cross, the second gets ' +
        '`offer_collision` with the pending revision, rolls back, answers, and offers again.',
      params: CallParams,
      body: OfferBody,
      response: {
        202: DescriptionReply,
        ...problems(...REFUSALS, 'invalid_sdp', 'wrong_party', 'offer_collision', 'stale_revision')
      }
    },
    handler: async (request, reply) =>
      reply
        .code(202)
        .send(await sendDescription(context, request.actor, request.params.callId, { ...request.body, type: 'offer' }))
  })

  app.route({
    method: 'POST',
    url: '/calls/:callId/answer',
    config: { limit: 'signals' },
    schema: {
      operationId: 'sendAnswer',
      tags: ['signals'],
      summary: 'Answer the pending offer',
      params: CallParams,
      body: AnswerBody,
      response: { 202: DescriptionReply, ...problems(...REFUSALS, 'invalid_sdp', 'no_offer_pending', 'stale_revision') }
    },
    handler: async (request, reply) =>
      reply
        .code(202)
        .send(await sendDescription(context, request.actor, request.params.callId, { ...request.body, type: 'answer' }))
  })

  app.route({
    method: 'POST',
    url: '/calls/:callId/candidates',
    config: { limit: 'signals' },
    schema: {
      operationId: 'sendCandidates',
      tags: ['signals'],
      summary: 'Trickle ICE candidates, one or a batch',
      description:
        'A candidate whose description was not posted yet waits for it (at most 256 do); one of an older ICE generation is refused.',
      params: CallParams,
      body: CandidatesBody,
      response: {
        202: CandidatesReply,
        ...problems(...REFUSALS, 'invalid_candidate', 'stale_candidate', 'too_many_held')
      }
    },
    handler: async (request, reply) =>
      reply.code(202).send(await sendCandidates(context, request.actor, request.params.callId, request.body))
  })
}
