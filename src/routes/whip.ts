// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): encoders publish into a room, and players view it, with SDP over HTTP.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { iceServerLinks } from '../plugins/ice-server-links.js'
import { requireBodyType, requireSdpAccepted } from '../plugins/signal-bodies.js'
import { ParticipantId, RoomId, Strict } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { FragmentBody, OfferBody, sdpReply, ViewQuery, WhipPatchHeaders } from '../schemas/whip.js'
import type { Context } from '../services/context.js'
import { listIceServers } from '../services/ice-servers.js'
import type { Via } from '../services/whip/clients.js'
import { publishMedia, type WhipSession } from '../services/whip/publish.js'
import { endWhipSession, patchWhipSession } from '../services/whip/sessions.js'
import { viewMedia } from '../services/whip/view.js'
import { RoomParams } from './rooms.js'

const SessionParams = Type.Object({ roomId: RoomId(), participantId: ParticipantId() }, { ...Strict })

const SESSION_PROBLEMS = [
  ...(['invalid_request', 'unsupported_media_type', 'too_large', 'rate_limited', 'invalid_sdp'] as const),
  ...(['room_not_found', 'room_closed', 'not_permitted', 'banned', 'room_service_unavailable'] as const),
  ...(['not_sfu', 'no_media_service', 'media_unavailable', 'not_in_room'] as const)
] as const
const CREATE_PROBLEMS = [
  ...SESSION_PROBLEMS,
  ...(['not_acceptable', 'unsupported_offer', 'too_many_media', 'room_locked', 'room_full'] as const),
  ...(['policy_denied', 'policy_unavailable'] as const),
  ...(['invalid_media_parameters', 'media_conflict'] as const)
] as const

const NO_TRANSPORT =
  '\n\nA client whose transport never connects, or receives nothing any more, leaves the room as `lost` when the media service notices it.'

const CREATE_WHIP = {
  config: { limit: 'signals', bodyType: 'application/sdp', bearerOnly: true },
  preValidation: requireSdpAccepted,
  schema: {
    operationId: 'publishByWhip',
    tags: ['whip'],
    summary: 'Publish by WHIP',
    description:
      'The WHIP endpoint (RFC 9725) of a room in mode `sfu`. The client joins the room as a participant of its own (`via: "whip"`), and each ' +
      'section of its offer that is sent becomes a producer. The reply is the answer; `Location` is the WHIP session, `ETag` names its ICE ' +
      'session, and `Link` has the STUN and TURN servers. Requires the grants `join` and `publish`, or `publish:audio` and `publish:video` for ' +
      'what is sent.\n\n' +
      'If a section that is sent cannot be served, the whole offer fails with `unsupported_offer`. A retry with the same `Idempotency-Key` ' +
      `returns the same session.${NO_TRANSPORT}`,
    security: [{ bearer: [] }],
    headers: IdempotencyHeaders,
    params: RoomParams,
    body: OfferBody,
    response: { 201: sdpReply('The answer.'), ...problems(...CREATE_PROBLEMS) }
  }
} as const

const CREATE_WHEP = {
  config: { limit: 'signals', bodyType: 'application/sdp', bearerOnly: true },
  preValidation: requireSdpAccepted,
  schema: {
    operationId: 'viewByWhep',
    tags: ['whip'],
    summary: 'View by WHEP',
    description:
      'The WHEP endpoint (draft-ietf-wish-whep) of a room in mode `sfu`. The client joins the room as a participant of its own ' +
      '(`via: "whep"`). Each section of its offer receives the next producer of its kind: of the participant that `participantId` names, else ' +
      'of all, in the order in which they joined. It keeps receiving the producers that there were at that moment; sections without one are ' +
      'rejected. When all that it receives has ended it leaves as `lost`, and may view again. Requires the grants `join` and `subscribe`, or `subscribe:audio` or `subscribe:video`.\n\n' +
      `Fails with \`nothing_published\` while there is nothing to view.${NO_TRANSPORT}`,
    security: [{ bearer: [] }],
    headers: IdempotencyHeaders,
    params: RoomParams,
    querystring: ViewQuery,
    body: OfferBody,
    response: {
      201: sdpReply('The answer.'),
      ...problems(...CREATE_PROBLEMS, 'participant_not_found', 'nothing_published', 'cannot_consume')
    }
  }
} as const

const patchOf = (protocol: 'Whip' | 'Whep') =>
  ({
    config: { limit: 'signals', bodyType: 'application/trickle-ice-sdpfrag', bearerOnly: true },
    schema: {
      operationId: `patch${protocol}Session`,
      tags: ['whip'],
      summary: `Trickle ICE or restart ICE of a ${protocol.toUpperCase()} session`,
      description:
        'Candidates (RFC 8840) are checked and answered 204: the media server finds the addresses of the client by itself. With ' +
        '`If-Match: *`, or credentials that are not those of the ICE session that `If-Match` names, ICE is restarted; the reply has the new ' +
        'credentials and candidates of the media server, and the new `ETag`. Requires a client of your own user.',
      security: [{ bearer: [] }],
      params: SessionParams,
      headers: WhipPatchHeaders,
      body: FragmentBody,
      response: {
        200: sdpReply('ICE was restarted.', 'application/trickle-ice-sdpfrag'),
        204: Type.Null({ description: 'The candidates were accepted.' }),
        ...problems(
          ...SESSION_PROBLEMS,
          ...(['participant_not_found', 'media_not_found', 'precondition_required', 'precondition_failed'] as const)
        )
      }
    }
  }) as const

const endOf = (protocol: 'Whip' | 'Whep') =>
  ({
    config: { limit: false, bearerOnly: true },
    schema: {
      operationId: `end${protocol}Session`,
      tags: ['whip'],
      summary: `End a ${protocol.toUpperCase()} session`,
      description: 'The client leaves the room. Never rate limited. Requires a client of your own user.',
      security: [{ bearer: [] }],
      params: SessionParams,
      response: {
        200: Type.Null({ description: 'The session has ended.' }),
        ...problems(
          ...BODY_PROBLEMS,
          ...(['rate_limited', 'room_not_found', 'room_closed', 'not_permitted', 'banned'] as const),
          ...(['not_in_room', 'participant_not_found'] as const)
        )
      }
    }
  }) as const

/** RFC 9725 section 4.1: a GET has no representation. The WHEP draft, section 4.2: a HEAD shows that this is a WHEP endpoint. */
const PROBE = { config: { limit: 'reads', bearerOnly: true }, schema: { hide: true, params: RoomParams } } as const
const PROBE_SESSION = { ...PROBE, schema: { hide: true, params: SessionParams } } as const

export const whipRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.addHook('onRequest', requireBodyType)

  app.post('/rooms/:roomId/whip', CREATE_WHIP, async ({ actor, params, body, headers }, reply) => {
    const request = { ...params, ...body, idempotencyKey: headers['idempotency-key'] }
    const links = iceServerLinks(listIceServers(context, actor))
    return sendSession(reply, await publishMedia(context, actor, request), { ...params, via: 'whip', links })
  })

  app.post('/rooms/:roomId/whep', CREATE_WHEP, async ({ actor, params, body, query, headers }, reply) => {
    const request = { ...params, ...query, ...body, idempotencyKey: headers['idempotency-key'] }
    const links = iceServerLinks(listIceServers(context, actor))
    return sendSession(reply, await viewMedia(context, actor, request), { ...params, via: 'whep', links })
  })

  for (const [via, protocol] of [
    ['whip', 'Whip'],
    ['whep', 'Whep']
  ] as const) {
    app.patch(`/rooms/:roomId/${via}/:participantId`, patchOf(protocol), async (request, reply) => {
      const { actor, params, body, headers } = request
      const patch = { ...params, via, fragment: body.sdp, ifMatch: headers['if-match'] }
      const restarted = await patchWhipSession(context, actor, patch)
      if (restarted === null) return sendNothing(reply, 204)
      return reply.type('application/trickle-ice-sdpfrag').header('etag', restarted.etag).send(restarted.fragment)
    })

    app.delete(`/rooms/:roomId/${via}/:participantId`, endOf(protocol), async ({ actor, params }, reply) => {
      await endWhipSession(context, actor, { ...params, via })
      return sendNothing(reply, 200)
    })

    app.get(`/rooms/:roomId/${via}`, PROBE, async (_request, reply) => reply.code(204).send())
    app.head(`/rooms/:roomId/${via}`, PROBE, async (_request, reply) => sendNothing(reply.type('application/sdp'), 200))
    app.get(`/rooms/:roomId/${via}/:participantId`, PROBE_SESSION, async (_request, reply) => reply.code(204).send())
    app.head(`/rooms/:roomId/${via}/:participantId`, PROBE_SESSION, async (_request, reply) => reply.code(204).send())
  }
}

const sendNothing = (reply: FastifyReply, status: number) => reply.code(status).send()

interface SessionReply {
  readonly roomId: string
  readonly via: Via
  readonly links: readonly string[]
}

function sendSession(reply: FastifyReply, session: WhipSession, { roomId, via, links }: SessionReply) {
  const path = `/v1/rooms/${encodeURIComponent(roomId)}/${via}/${encodeURIComponent(session.participantId)}`
  if (links.length > 0) reply.header('link', links)
  return reply.code(201).type('application/sdp').headers({ location: path, etag: session.etag }).send(session.sdp)
}
