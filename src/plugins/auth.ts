// Who is asking. Every route of the scope this is used on gets `request.actor`, or the request ends here. A token comes as
// Bearer or in the cookie `access_token`; a ticket, on event routes only, as `?ticket=`. Tokens in a URL are not taken: URLs
// end up in logs and histories.
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError, ERRORS } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { ID_PATTERN } from '../schemas/common.js'
import type { Context } from '../services/context.js'
import { redeemTicket } from '../services/tickets.js'
import { cookieToken } from './cookie.js'
import { networkOf } from './network.js'
import type { Grant } from './token-claims.js'
import { createTokens } from './tokens.js'

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor
  }
  interface FastifyContextConfig {
    /** Takes `?ticket=` and `?device=`: an EventSource cannot set headers. */
    eventRoute?: boolean
  }
}

const DEFAULT_DEVICE = 'default'

export async function authenticate(app: FastifyInstance, context: Context): Promise<void> {
  const tokens = await createTokens(app, context.config, context.clock)
  /** What each connection sent last: a client repeats it with every request, and comparing it is cheaper than hashing a token. */
  const shown = new WeakMap<Socket, { readonly authorization: string; readonly grant: Grant }>()

  /** A promise only for what was not seen before: most requests pay for a look into a map and no more. */
  function identify(request: FastifyRequest): Actor | Promise<Actor> {
    const { authorization } = request.headers
    if (authorization !== undefined) {
      const last = shown.get(request.raw.socket)
      const repeated = last?.authorization === authorization && tokens.recheck(last.grant)
      if (repeated) return actorOf(repeated, request)
    }
    const bearer = bearerToken(authorization)
    const ticket = bearer === undefined ? queryText(request, 'ticket') : undefined
    if (ticket !== undefined) {
      context.addresses.check(networkOf(request.ip))
      return redeemTicket(context, ticket).then(actor => sameDevice(actor, request))
    }
    const token = bearer ?? cookieToken(request, context.config)
    if (token === undefined) throw new AppError('unauthorized')
    const grant = tokens.recall(token)
    if (grant) {
      if (authorization !== undefined) shown.set(request.raw.socket, { authorization, grant })
      return actorOf(grant, request)
    }
    context.addresses.check(networkOf(request.ip))
    return tokens.verify(token).then(fresh => actorOf(fresh, request))
  }

  app.decorateRequest('actor')
  app.addHook('onRequest', (request, _reply, done) => {
    const refuse = (error: unknown) => done(charged(error, request))
    let actor: Actor | Promise<Actor>
    try {
      actor = identify(request)
    } catch (error) {
      return refuse(error)
    }
    if (!(actor instanceof Promise)) {
      request.actor = actor
      return done()
    }
    actor.then(found => {
      request.actor = found
      done()
    }, refuse)
  })

  /** A refused token is charged to the address; when that has spent its budget, the answer says so instead. */
  function charged(error: unknown, request: FastifyRequest): Error {
    if (!(error instanceof AppError)) return error as Error
    if (ERRORS[error.code].status !== 401) return error
    try {
      context.addresses.spend(networkOf(request.ip))
      return error
    } catch (limited) {
      return limited as AppError
    }
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  // RFC 6750, section 2.1; the scheme's name is case-insensitive (RFC 9110, section 11.1).
  const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1]
  if (token === undefined) throw new AppError('unauthorized', { detail: 'Authorization has to be: Bearer <token>' })
  return token
}

const ID = new RegExp(ID_PATTERN)

function actorOf(grant: Grant, request: FastifyRequest): Actor {
  const asked = askedDevice(request)
  if (grant.device !== null && asked !== undefined && asked !== grant.device) throw otherDevice()
  const device = grant.device ?? asked ?? DEFAULT_DEVICE
  if (grant.lastActor?.device === device) return grant.lastActor
  if (!ID.test(device)) throw new AppError('invalid_subject', { detail: `A device id has to match ${ID_PATTERN}` })
  const { user, expiresAt, rooms } = grant
  grant.lastActor = { user, device, expiresAt, ...(rooms ? { rooms } : {}) }
  return grant.lastActor
}

/** A ticket is for the device it was made for. */
function sameDevice(actor: Actor, request: FastifyRequest): Actor {
  if ((askedDevice(request) ?? actor.device) !== actor.device) throw otherDevice()
  return actor
}

function otherDevice(): AppError {
  return new AppError('invalid_subject', { detail: 'The token or ticket is for another device' })
}

function askedDevice(request: FastifyRequest): string | undefined {
  // Node joins repeated headers with a comma, which no device id contains.
  const header = request.headers['x-device-id'] as string | undefined
  return header ?? queryText(request, 'device')
}

function queryText(request: FastifyRequest, name: 'ticket' | 'device'): string | undefined {
  const value = (request.query as Readonly<Record<string, unknown>>)[name]
  // The route is asked last: making its options is the dearer half of this.
  return typeof value === 'string' && request.routeOptions.config.eventRoute === true ? value : undefined
}
