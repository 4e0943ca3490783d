// Authenticates requests: sets `request.actor` or refuses. A token is sent as Bearer or in the cookie `access_token`; a ticket, where an
// EventSource or a page that is being closed makes the request, as `?ticket=`. A token in a URL is not accepted, because URLs are kept in logs and browser histories.
import type { Socket } from 'node:net'
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify'
import { AppError, ERRORS } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { ID_FORMATS, isId } from '../schemas/common.js'
import type { Context } from '../services/context.js'
import { noteIssuer, requireNotRevoked } from '../services/revocations.js'
import { redeemTicket } from '../services/tickets.js'
import { bearerToken } from './bearer.js'
import { cookieToken } from './cookie.js'
import { deviceInHeader } from './device-header.js'
import { networkOf } from './network.js'
import { originMatcher } from './origins.js'
import type { VerifiedToken } from './token-claims.js'
import { createTokens } from './tokens.js'

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor
  }
  interface FastifyContextConfig {
    /** Opens a stream or polls. Accepts `?ticket=` and `?device=`, because an EventSource cannot set headers. */
    eventRoute?: boolean
    /** Accepts them too: a page that is being closed calls it by `navigator.sendBeacon` or a `fetch` with `keepalive`. */
    unloadRoute?: boolean
    /** Does not accept the cookie: no page of a browser makes such a request by itself. */
    bearerOnly?: boolean
  }
}

const DEFAULT_DEVICE = 'default'

interface LastToken {
  readonly authorization: string
  readonly verified: VerifiedToken
}

/** Authenticates all routes that are added afterwards. */
export async function authenticate(app: FastifyInstance, context: Context): Promise<void> {
  const { config } = context
  const tokens = await createTokens(app, config, context.clock)
  const cookieOrigins = { isListed: originMatcher(config.corsOrigins), publicUrl: config.publicUrl }
  /** The last token of each connection: a client repeats it with every request, and comparing it is cheaper than hashing it. */
  const lastTokens = new WeakMap<Socket, LastToken>()

  /** Called for each request: a token may be revoked after it was cached. */
  function accept(actor: Actor): Actor {
    requireNotRevoked(context, actor)
    return actor
  }

  /** A promise only for a ticket and for a token that is not cached: most requests cost one map lookup. */
  function identify(request: FastifyRequest): Actor | Promise<Actor> {
    const { authorization } = request.headers
    if (authorization !== undefined) {
      const last = lastTokens.get(request.raw.socket)
      const isRepeated = last?.authorization === authorization && tokens.isCurrent(last.verified)
      if (isRepeated) return accept(actorOf(last.verified, request))
    }
    const bearer = bearerToken(authorization)
    const ticket = bearer === undefined ? queryText(request, 'ticket') : undefined
    if (ticket !== undefined) {
      context.addresses.check(networkOf(request.ip))
      return redeemTicket(context, ticket).then(actor => accept(requireTicketDevice(actor, request)))
    }
    const token = bearer ?? (request.routeOptions.config.bearerOnly ? undefined : cookieToken(request, cookieOrigins))
    if (token === undefined) throw new AppError('unauthorized')
    const verified = tokens.findVerified(token)
    if (verified) {
      if (authorization !== undefined) lastTokens.set(request.raw.socket, { authorization, verified })
      return accept(actorOf(verified, request))
    }
    context.addresses.check(networkOf(request.ip))
    return tokens.verify(token).then(async fresh => {
      if (fresh.issuer === 'operator') await noteIssuer(context, fresh)
      return accept(actorOf(fresh, request))
    })
  }

  app.decorateRequest('actor')
  app.addHook('onRequest', (request, _reply, done) => {
    const refuse = (error: unknown) => done(chargeRefusal(error, request))
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

  /** Charges a refused token to the address. Returns the error for the reply: rate_limited if the budget of the address is spent. */
  function chargeRefusal(error: unknown, request: FastifyRequest): Error {
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

/** @throws AppError invalid_subject */
function actorOf(token: VerifiedToken, request: FastifyRequest): Actor {
  const requested = requestedDevice(request)
  if (token.device !== null && requested !== undefined && requested !== token.device) throw otherDevice()
  const device = token.device ?? requested ?? DEFAULT_DEVICE
  if (token.lastActor?.device === device) return token.lastActor
  if (!isId(device)) throw new AppError('invalid_subject', { detail: `The device id ${ID_FORMATS.id.rule}` })
  const { user, expiresAt, issuedAt, rooms } = token
  token.lastActor = { user, device, expiresAt, issuedAt, ...(rooms ? { rooms } : {}) }
  return token.lastActor
}

/** A ticket is valid for one device only. @throws AppError invalid_subject */
function requireTicketDevice(actor: Actor, request: FastifyRequest): Actor {
  if ((requestedDevice(request) ?? actor.device) !== actor.device) throw otherDevice()
  return actor
}

function otherDevice(): AppError {
  return new AppError('invalid_subject', { detail: 'The token or ticket is for another device' })
}

/** A path that names a device is the device's own. @throws AppError invalid_subject */
function requestedDevice(request: FastifyRequest): string | undefined {
  const named = deviceInHeader(request.raw) ?? queryText(request, 'device')
  const { deviceId } = request.params as { readonly deviceId?: string }
  if (deviceId !== undefined && named !== undefined && named !== deviceId) throw otherDevice()
  return deviceId ?? named
}

function queryText(request: FastifyRequest, name: 'ticket' | 'device'): string | undefined {
  const given = (request.query as Readonly<Record<string, unknown>>)[name]
  // Clients append to a URL that may have the member already: the last value is the newest.
  const value: unknown = Array.isArray(given) ? given.at(-1) : given
  // Fastify creates `routeOptions` at each access, so it is read last.
  return typeof value === 'string' && acceptsTicket(request.routeOptions.config) ? value : undefined
}

export const acceptsTicket = ({ eventRoute, unloadRoute }: FastifyContextConfig): boolean =>
  eventRoute === true || unloadRoute === true
