// The routes of /v1. All are authenticated, and most are charged to a budget of the user.
import type { FastifyInstance, FastifyRequest, onResponseHookHandler } from 'fastify'
import type { Streams } from '../delivery/streams.js'
import { authenticate } from '../plugins/auth.js'
import { checkBodyHeaders } from '../plugins/bodies.js'
import { confirmWrites } from '../plugins/confirmed-writes.js'
import { limitRates } from '../plugins/limits.js'
import { openInTurn } from '../plugins/openings.js'
import type { Context } from '../services/context.js'
import { recordRequest } from '../services/device/keepalive.js'
import { withRoomClaims } from '../services/room/room-service.js'
import { applyToken } from '../services/sfu/newer-tokens.js'
import { blockRoutes } from './blocks.js'
import { callActionRoutes } from './call-actions.js'
import { callMessageRoutes } from './call-messages.js'
import { callRoutes } from './calls.js'
import { chatRoutes } from './chat.js'
import { deviceKeyRoutes } from './device-credentials.js'
import { eventRoutes } from './events.js'
import { iceServerRoutes } from './ice-servers.js'
import { invitationRoutes } from './invitations.js'
import { presenceRoutes } from './presence.js'
import { pushRoutes } from './push.js'
import { roomSignalRoutes } from './room-signals.js'
import { roomRoutes } from './rooms.js'
import { sfuConsumerRoutes } from './sfu-consumers.js'
import { sfuDataRoutes } from './sfu-data.js'
import { sfuProducerRoutes } from './sfu-producers.js'
import { sfuTransportRoutes } from './sfu-transports.js'
import { signalRoutes } from './signals.js'
import { transferRoutes } from './transfers.js'
import { watchRoutes } from './watch.js'
import { whipRoutes } from './whip.js'

export interface Api {
  readonly context: Context
  readonly streams: Streams
}

export async function serveApi(app: FastifyInstance, { context, streams }: Api): Promise<void> {
  openInTurn(app, `${app.prefix}/events`)
  app.addHook('onRequest', (_request, reply, done) => {
    // Every reply is for one user only: calls, messages, tickets, TURN credentials.
    reply.header('cache-control', 'no-store')
    done()
  })
  await authenticate(app, context)
  checkBodyHeaders(app)
  await limitRates(app, context)
  confirmWrites(app, context)
  app.addHook('onRequest', ({ actor }, _reply, done) => {
    applyToken(context, actor)
    done()
  })
  if (context.config.roomServiceUrl !== null) app.addHook('preHandler', request => takeRoles(context, request))
  acknowledgeByRequests(app, context)
  await app.register(eventRoutes, { context, streams })
  await app.register(callRoutes, { context })
  await app.register(callActionRoutes, { context })
  await app.register(transferRoutes, { context })
  await app.register(callMessageRoutes, { context })
  await app.register(signalRoutes, { context })
  await app.register(roomRoutes, { context })
  await app.register(roomSignalRoutes, { context })
  await app.register(invitationRoutes, { context })
  await app.register(chatRoutes, { context })
  await app.register(sfuTransportRoutes, { context })
  await app.register(sfuProducerRoutes, { context })
  await app.register(sfuConsumerRoutes, { context })
  await app.register(sfuDataRoutes, { context })
  await app.register(blockRoutes, { context })
  await app.register(presenceRoutes, { context })
  await app.register(watchRoutes, { context })
  await app.register(pushRoutes, { context })
  await app.register(deviceKeyRoutes, { context })
  await app.register(whipRoutes, { context })
  await app.register(iceServerRoutes, { context })
}

/** Each request acknowledges heartbeats, except the stream or poll itself: a proxy or a stopped program may keep that open. */
function acknowledgeByRequests(app: FastifyInstance, context: Context): void {
  const acknowledge: onResponseHookHandler = ({ actor }, _reply, done) => {
    // A request without an actor was refused.
    if (actor) recordRequest(context, actor)
    done()
  }
  app.addHook('onRoute', route => {
    if (route.config?.eventRoute !== true) route.onResponse = [acknowledge].concat(route.onResponse ?? [])
  })
}

/** In a room, the room service decides what the user may do. Actions that are never rate limited, such as leaving, do not need its reply. */
async function takeRoles(context: Context, request: FastifyRequest): Promise<void> {
  const { roomId } = request.params as { roomId?: string }
  if (roomId === undefined) return
  const { actor } = request
  request.actor = await withRoomClaims(context, actor, roomId).catch(error => {
    if (request.routeOptions.config.limit !== false) throw error
    return { ...actor, rooms: {} }
  })
}
