// What Node would refuse by itself with an empty answer, and before anything could count it: a request without Host, and an expectation
// that is unknown. They become requests like all others and are refused as those are.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.js'

/** Needs `requireHostHeader: false` (plugins/server-options.ts). */
export function checkHeads(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.addHook('onRequest', (request, _reply, done) => done(faultOf(request)))
}

function faultOf({ headers: { host, expect }, raw: { httpVersion } }: FastifyRequest): AppError | undefined {
  // RFC 9112, section 3.2.
  if (host === undefined && httpVersion === '1.1') return refusal('An HTTP/1.1 request needs a Host header')
  // RFC 9110, section 10.1.1.
  if (expect !== undefined && !CONTINUE.test(expect))
    return refusal('The only expectation that can be met is 100-continue')
  return undefined
}

/** As Node recognises it; it has answered 100 Continue by then. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i

const refusal = (detail: string) => new AppError('invalid_request', { detail })
