// Offer, answer and candidates of a call.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { acceptBareCandidates, acceptMembersInQuery } from '../plugins/signal-bodies.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  AnswerRequest,
  CandidatesReply,
  CandidatesRequest,
  DescriptionQuery,
  DescriptionReply,
  OfferRequest
} from '../schemas/signal.js'
import { sendCandidates, sendDescription } from '../services/call/send-signals.js'
import type { Context } from '../services/context.js'
import { CallParams } from './calls.js'

const REFUSALS = [
  ...BODY_PROBLEMS,
  'call_not_found',
  'other_device',
  'wrong_state',
  'call_ended',
  'rate_limited'
] as const

/** Of an offer or answer. */
export const RAW_SDP =
  '\n\nCandidates that you have gathered already may come with it (`candidates`, `end`); they arrive after it, as `signal.candidates`. ' +
  '`outcomes` in the reply says what happened to each.\n\nThe body may also be the session description alone, as `application/sdp` in UTF-8. Its `revision` goes into the query, and in rooms `to`.'

const SEND_OFFER = {
  config: { limit: 'signals', acceptsSdp: true },
  preValidation: acceptMembersInQuery,
  schema: {
    operationId: 'sendOffer',
    tags: ['signals'],
    summary: 'Send an offer',
    description:
      'Starts a negotiation: the first one, a renegotiation or an ICE restart. The other side receives `signal.offer`. The side that ' +
      '`offerer` of the call names makes the first offer; later ones may come from either side.\n\n' +
      'One negotiation is in progress at a time. If the other side has an offer pending, yours fails with `offer_collision`: roll it back, ' +
      'answer theirs, then send yours again.' +
      RAW_SDP,
    params: CallParams,
    querystring: DescriptionQuery,
    body: OfferRequest,
    response: {
      202: DescriptionReply,
      ...problems(...REFUSALS, 'invalid_sdp', 'wrong_party', 'offer_collision', 'stale_revision')
    }
  }
} as const

const SEND_ANSWER = {
  config: { limit: 'signals', acceptsSdp: true },
  preValidation: acceptMembersInQuery,
  schema: {
    operationId: 'sendAnswer',
    tags: ['signals'],
    summary: 'Send an answer',
    description:
      'Answers the pending offer of the other side, which receives `signal.answer`. Fails with `no_offer_pending` if there is none. If that ' +
      'offer has superseded another one, the answer must name its `revision`, or it fails with `revision_required`.' +
      RAW_SDP,
    params: CallParams,
    querystring: DescriptionQuery,
    body: AnswerRequest,
    response: {
      202: DescriptionReply,
      ...problems(...REFUSALS, 'invalid_sdp', 'no_offer_pending', 'stale_revision', 'revision_required')
    }
  }
} as const

const SEND_CANDIDATES = {
  config: { limit: 'signals', acceptsNull: true },
  preValidation: acceptBareCandidates,
  schema: {
    operationId: 'sendCandidates',
    tags: ['signals'],
    summary: 'Send ICE candidates',
    description:
      'Sends one or more candidates, in canonical form; the other side receives `signal.candidates`. Candidates may be sent before their ' +
      'offer or answer: up to 256 of them, and 64 KiB as JSON, are held and delivered after it.\n\n' +
      'Each candidate is judged by itself: one of an older ICE generation, or with a mistake in it, is listed in `rejected`, and the others are ' +
      'sent. The request fails only if all are rejected, with the code of the first, or if a member has another JSON type than its schema.\n\n' +
      'A body that is itself one candidate, or a list of them, is accepted too; the body `null` is the end of candidates.',
    params: CallParams,
    body: CandidatesRequest,
    response: {
      202: CandidatesReply,
      ...problems(...REFUSALS, 'invalid_candidate', 'stale_candidate', 'too_many_waiting_candidates')
    }
  }
} as const

export const signalRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/calls/:callId/offer', SEND_OFFER, (request, reply) => {
    reply.code(202)
    return sendDescription(context, request.actor, { ...request.params, ...request.body, type: 'offer' })
  })

  app.post('/calls/:callId/answer', SEND_ANSWER, (request, reply) => {
    reply.code(202)
    return sendDescription(context, request.actor, { ...request.params, ...request.body, type: 'answer' })
  })

  app.post('/calls/:callId/candidates', SEND_CANDIDATES, (request, reply) => {
    reply.code(202)
    return sendCandidates(context, request.actor, { ...request.params, ...request.body })
  })
}
