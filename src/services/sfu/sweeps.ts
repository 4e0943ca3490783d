// What a change of a media service means for rooms. Each node that notices the change goes through the index of the service's rooms; the
// commits are conditional, so several nodes may.
import { MediaRefusal } from '../../adapters/media-service.js'
import { wait } from '../../clock.js'
import { PART } from '../../domain/room/state.js'
import { type HealthChange, hasLost } from '../../domain/sfu/service-health.js'
import { type OpeningSession, type OpenSession, sessionIn } from '../../domain/sfu/session.js'
import type { Context } from '../context.js'
import { readRoom } from '../room/parts.js'
import { loseSession, recoverSession } from './lost-sessions.js'
import { type MediaService, mediaServicesOf } from './media-services.js'
import { WAITING } from './opening.js'

/** Rooms at a time. */
const BATCH_SIZE = 16
/** Until a sweep that failed, because the store is unavailable, is repeated. */
const REPEAT_MS = 1000

/** In the background. */
export function startSweep(context: Context, service: MediaService, change: NonNullable<HealthChange>): void {
  context.background.runAgain(`rooms of the media service ${service.name}`, closing =>
    untilDone(context, closing, async () => {
      if (change !== 'up') await sweepLostRooms(context, service)
      if (change !== 'down') await sweepWaitingRooms(context)
    })
  )
}

/** In the background: what an earlier sweep has missed because another node has placed a room meanwhile. */
export function sweepAgain(context: Context): void {
  context.background.run('rooms of media services', async () => {
    for (const service of mediaServicesOf(context).list()) {
      if (service.health.status === 'down') await sweepLostRooms(context, service)
    }
    await sweepWaitingRooms(context)
  })
}

async function untilDone(context: Context, closing: AbortSignal, sweep: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await sweep()
    } catch (error) {
      if (closing.aborted) return
      context.log.warn({ err: error }, 'rooms of a media service not checked; repeated')
      await wait(context.clock, REPEAT_MS, closing)
    }
  }
}

/** The service is down or has started again: its rooms get other sessions. */
async function sweepLostRooms(context: Context, service: MediaService): Promise<void> {
  await forEachRoom(context, service.name, async roomId => {
    const session = sessionIn(await readRoom(context, roomId, [PART.sfu]))
    if (session === null || session.state === 'unavailable' || session.service !== service.name) return
    if (!(await isLost(service, session))) return
    await loseSession(context, roomId, { sessionId: session.sessionId, reason: 'service_lost' })
  })
}

/**
 * A session that was placed on another instance than the current one is asked for, because the node that placed it may have known the
 * service only from before its restart.
 */
async function isLost({ health, client }: MediaService, session: OpenSession | OpeningSession): Promise<boolean> {
  if (health.status === 'down') return hasLost(health, session)
  if (session.state === 'opening' || session.instance === health.instance) return false
  try {
    await client.getSession(session.sessionId)
    return false
  } catch (error) {
    // After another failure the breaker or the next request decides.
    return error instanceof MediaRefusal && error.code === 'session_not_found'
  }
}

/** Rooms for which no service was up. */
async function sweepWaitingRooms(context: Context): Promise<void> {
  if (!mediaServicesOf(context).isAnyUp()) return
  await forEachRoom(context, WAITING, async roomId => {
    if (!mediaServicesOf(context).isAnyUp()) return
    const session = sessionIn(await readRoom(context, roomId, [PART.sfu]))
    if (session?.state === 'unavailable') await recoverSession(context, roomId)
  })
}

async function forEachRoom(
  { store, clock }: Context,
  owner: string,
  visit: (roomId: string) => Promise<void>
): Promise<void> {
  const roomIds = await store.mediaRooms.list(owner, clock.now())
  for (let i = 0; i < roomIds.length; i += BATCH_SIZE) await Promise.all(roomIds.slice(i, i + BATCH_SIZE).map(visit))
}
