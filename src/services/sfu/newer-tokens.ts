// A device whose token is renewed with fewer grants stops sending what it may not send any more, by its first request with the new token.
import { PART } from '../../domain/room/state.js'
import { adoptToken, partsOfRevocation } from '../../domain/sfu/revocation.js'
import { joinIds } from '../../id-text.js'
import type { Actor } from '../../schemas/claims.js'
import { type Context, perContext } from '../context.js'
import { createLeastRecentlyUsed } from '../least-recently-used.js'
import { currentParticipations } from '../room/memberships.js'
import { changeOpenRoom } from '../room/update-room.js'
import { mediaServicesOf } from './media-services.js'

const DEVICES_MAX = 50_000

/** What this node has seen. */
const tokensOf = perContext(() => ({
  /** Requests with the same token share an actor. */
  actors: new WeakSet<Actor>(),
  /** When the token of a device expires, of all its tokens the last one. */
  expiries: createLeastRecentlyUsed<string, number>(DEVICES_MAX)
}))

/** Returns at once and never throws. A token that expires sooner than another one of the device changes nothing: it may be in use still. */
export function applyToken(context: Context, actor: Actor): void {
  if (mediaServicesOf(context).list().length === 0) return
  const { actors, expiries } = tokensOf(context)
  if (actors.has(actor)) return
  actors.add(actor)
  const key = joinIds(actor.user, actor.device)
  const before = expiries.get(key)
  const expiresAt = actor.expiresAt ?? Number.POSITIVE_INFINITY
  if (before !== undefined && expiresAt <= before) return
  expiries.set(key, expiresAt)
  // The first token that this node sees may be a renewed one. Most tokens have no claims about rooms: these are compared with an earlier one.
  if (before === undefined && actor.rooms === undefined) return
  context.background.run(`apply the token of ${key} until ${expiresAt}`, () =>
    adoptInRooms(context, actor).catch(error => {
      // The next request with it tries again.
      actors.delete(actor)
      expiries.delete(key)
      throw error
    })
  )
}

async function adoptInRooms(context: Context, actor: Actor): Promise<void> {
  const found = await currentParticipations(context, actor)
  const rooms = found.filter(({ room }) => room.settings?.mode === 'sfu')
  const parts = [PART.participantOf(actor), ...partsOfRevocation([actor])]
  for (const { roomId } of rooms) await changeOpenRoom(context, { roomId, parts }, room => adoptToken(room, actor))
}
