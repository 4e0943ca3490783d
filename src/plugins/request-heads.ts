// Refuses a request without Host, and one with an unknown Expect header. Node itself would refuse them with an empty reply, uncounted by
// any limit. Here they are requests like others, and the reply is a problem document.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.js'

/** Needs `requireHostHeader: false` (plugins/server-options.ts). */
export function checkRequestHeads(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.addHook('onRequest', (request, _reply, done) => done(refusalOf(request)))
}

function refusalOf({ headers: { host, expect }, raw: { httpVersion } }: FastifyRequest): AppError | undefined {
  // RFC 9112, section 3.2.
  if (host === undefined && httpVersion === '1.1') return refusal('An HTTP/1.1 request needs a Host header')
  // RFC 9110, section 10.1.1.
  if (expect !== undefined && !CONTINUE.test(expect))
    return refusal('The only expectation that is supported is 100-continue')
  return undefined
}

/** As in Node, which has sent 100 Continue before this runs. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i

const refusal = (detail: string) => new AppError('invalid_request', { detail })
