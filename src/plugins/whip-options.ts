// OPTIONS of the WHIP and WHEP endpoints and sessions says what may be sent to them (RFC 9725 section 4.2, RFC 5789 section 3.1). It needs no
// token: preflights have none.
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The header Accept-Post of replies to OPTIONS, preflights included. */
    acceptPost?: string
  }
}

const FRAGMENT = 'application/trickle-ice-sdpfrag'

export function answerWhipOptions(app: FastifyInstance): void {
  for (const via of ['whip', 'whep'] as const) {
    app.route({
      method: 'OPTIONS',
      url: `/v1/rooms/:roomId/${via}`,
      config: { acceptPost: 'application/sdp' },
      schema: { hide: true },
      handler: (_request, reply) =>
        reply.headers({ 'accept-post': 'application/sdp', allow: 'GET, HEAD, OPTIONS, POST' }).code(200).send()
    })
    app.route({
      method: 'OPTIONS',
      url: `/v1/rooms/:roomId/${via}/:participantId`,
      schema: { hide: true },
      handler: (_request, reply) =>
        reply.headers({ 'accept-patch': FRAGMENT, allow: 'DELETE, GET, HEAD, OPTIONS, PATCH' }).code(200).send()
    })
  }
}
