// Offer, answer and candidates between participants of a room.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { acceptBareCandidates, acceptMembersInQuery } from '../plugins/signal-bodies.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  RoomAnswerRequest,
  RoomCandidatesRequest,
  RoomDescriptionQuery,
  RoomOfferRequest
} from '../schemas/room-signal.js'
import { CandidatesReply, DescriptionReply } from '../schemas/signal.js'
import type { Context } from '../services/context.js'
import { broadcastCandidates } from '../services/room/broadcast.js'
import { sendRoomCandidates, sendRoomDescription } from '../services/room/pairs.js'
import { RoomParams } from './rooms.js'
import { RAW_SDP } from './signals.js'

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

const SEND_ROOM_OFFER = {
  config: { limit: 'signals', acceptsSdp: true },
  preValidation: acceptMembersInQuery,
  schema: {
    operationId: 'sendRoomOffer',
    tags: ['room signals'],
    summary: 'Send an offer to a participant',
    description:
      'Starts a negotiation with one participant, who receives `signal.offer`. If that participant has an offer pending for you, yours fails ' +
      'with `offer_collision`; of the two, the one who joined later is the polite side and rolls back. Requires the grant `signal`.\n\n' +
      'When the mode of the room changes, all negotiations begin anew: no offer is pending, and revisions go on. What you send in the new ' +
      'mode is delivered after `room.updated`.' +
      RAW_SDP,
    params: RoomParams,
    querystring: RoomDescriptionQuery,
    body: RoomOfferRequest,
    response: {
      202: DescriptionReply,
      ...problems(...REFUSALS, 'invalid_sdp', 'offer_collision', 'stale_revision')
    }
  }
} as const

const SEND_ROOM_ANSWER = {
  config: { limit: 'signals', acceptsSdp: true },
  preValidation: acceptMembersInQuery,
  schema: {
    operationId: 'sendRoomAnswer',
    tags: ['room signals'],
    summary: 'Send an answer to a participant',
    description:
      'Answers the pending offer of a participant, who receives `signal.answer`. If that offer has superseded another one, the answer must ' +
      'name its `revision`. Requires the grant `signal`.' +
      RAW_SDP,
    params: RoomParams,
    querystring: RoomDescriptionQuery,
    body: RoomAnswerRequest,
    response: {
      202: DescriptionReply,
      ...problems(...REFUSALS, 'invalid_sdp', 'no_offer_pending', 'stale_revision', 'revision_required')
    }
  }
} as const

const SEND_ROOM_CANDIDATES = {
  config: { limit: 'signals', acceptsNull: true },
  preValidation: acceptBareCandidates,
  schema: {
    operationId: 'sendRoomCandidates',
    tags: ['room signals'],
    summary: 'Send ICE candidates in a room',
    description:
      'Sends candidates to one participant, who receives `signal.candidates`. Without `to` they go to all others; that requires the grant ' +
      '`publish`. Candidates may be sent before their description: they are held for up to ten minutes and delivered after it.\n\n' +
      'Each candidate is judged by itself, as in `sendCandidates`. A broadcast candidate is held if one of the others has no description of ' +
      'its generation yet.',
    params: RoomParams,
    body: RoomCandidatesRequest,
    response: {
      202: CandidatesReply,
      ...problems(...REFUSALS, 'invalid_candidate', 'stale_candidate', 'too_many_waiting_candidates')
    }
  }
} as const

export const roomSignalRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/rooms/:roomId/offer', SEND_ROOM_OFFER, ({ actor, params, body }, reply) => {
    reply.code(202)
    return sendRoomDescription(context, actor, { ...body, ...params, type: 'offer' })
  })

  app.post('/rooms/:roomId/answer', SEND_ROOM_ANSWER, ({ actor, params, body }, reply) => {
    reply.code(202)
    return sendRoomDescription(context, actor, { ...body, ...params, type: 'answer' })
  })

  app.post('/rooms/:roomId/candidates', SEND_ROOM_CANDIDATES, ({ actor, params, body: { to, ...batch } }, reply) => {
    reply.code(202)
    if (to === undefined) return broadcastCandidates(context, actor, { ...batch, ...params })
    return sendRoomCandidates(context, actor, { ...batch, ...params, to })
  })
}
