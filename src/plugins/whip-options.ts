// OPTIONS of the WHIP and WHEP endpoints says what may be posted (RFC 9725 section 4.2). It needs no token: preflights have none.
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The header Accept-Post of replies to OPTIONS, preflights included. */
    acceptPost?: string
  }
}

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
  }
}
