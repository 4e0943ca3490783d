// Who came, who went, and what that means for their calls.
import type { Lifecycle } from '../../delivery/context.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { endpointOf } from '../../domain/call/party.js'
import type { CallState, Side } from '../../domain/call/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Lease } from '../../store/leases.js'
import type { Cursor, StoredEvent } from '../../store/store.js'
import { isBehind, parseHolder } from '../call/lease-holder.js'
import { confirmLease, releaseLeases, retakeLeases } from '../call/leases.js'
import { callRef, readCall, transact } from '../call/update-call.js'
import type { Context } from '../context.js'
import { checkEveryMs } from '../intervals.js'
import { schedulePresenceCheck } from '../presence/publish-presence.js'
import { greetRooms, missRooms } from '../room/liveness.js'
import { offerInvitations } from '../room/ringing-invitations.js'
import { cursorBeforeOffer } from './late-offer.js'
import { deviceAbsentSince } from './liveness.js'

/** What delivery is told to call when devices come and go. */
export function createLifecycle(context: Context): Lifecycle {
  const unheard = (work: Promise<void>) => {
    work.catch(error => context.log.debug({ err: error }, 'coming or going not noted; the next check will'))
  }
  return {
    arrived(actor, { since, isInvolved }) {
      if (!isInvolved) return
      unheard(resumeDevice(context, actor, since))
      unheard(greetRooms(context, actor))
      schedulePresenceCheck(context, actor.user)
    },
    left(actor) {
      unheard(deviceGone(context, actor))
      unheard(missRooms(context, actor))
      schedulePresenceCheck(context, actor.user)
    },
    isEngaged: actor => isEngaged(context, actor)
  }
}

/** In a live call, as its caller or as the device that answered, or in a room. */
async function isEngaged(context: Context, { user, device }: Actor): Promise<boolean> {
  const { leases, memberships } = context.store
  const [held, rooms] = await Promise.all([leases.list(user), memberships.list(user)])
  if (rooms.some(room => room.device === device)) return true
  const calls = await Promise.all(held.map(({ holder }) => readCall(context, parseHolder(holder).callId)))
  return calls.some(call => call !== null && call.phase !== 'ended' && isIn(call, { user, device }))
}

const isIn = (call: CallState, { user, device }: Endpoint): boolean =>
  [endpointOf(call, 'caller'), endpointOf(call, 'callee')].some(end => end?.user === user && end.device === device)

/**
 * A device came: what rings is offered to it if it has not heard of it `since` (null: it needs no offers), and peers that were
 * told it was away hear that it is back.
 */
export async function resumeDevice(context: Context, actor: Actor, since: Cursor | null): Promise<void> {
  const leases = await context.store.leases.list(actor.user)
  await Promise.all([
    ...leases.map(lease => greetIn(context, actor, { lease, since })),
    since && offerInvitations(context, actor, since)
  ])
}

async function greetIn(
  context: Context,
  { user, device }: Actor,
  { lease, since }: { readonly lease: Lease; readonly since: Cursor | null }
): Promise<void> {
  // Reading a call delivers what it had to say: devices that were registered by then have its offer from here on, and
  // only other greetings can still make one. So an offer is appended where none was found, and a mailbox that moved is read again.
  const holder = parseHolder(lease.holder)
  const { callId } = holder
  const call = await readCall(context, callId)
  if (call === null || !isBehind(call, holder, user)) {
    return context.background.run(`confirm lease ${lease.holder} ${user}`, closing =>
      confirmLease(context, user, { lease, closing })
    )
  }
  const actor = { user, device }
  for (;;) {
    const offerAt = since && (await cursorBeforeOffer(context, actor, since, event => offers(event, callId)))
    const command = { type: 'appeared' as const, actor, offerAt }
    const { deliveries } = await transact(context, callId, (call, now) => decideCall(call, command, now))
    const offered = deliveries.get(user)
    if (offered === undefined || offered.online + offered.queued > 0) return
  }
}

const offers = ({ type, envelope }: StoredEvent, callId: string) =>
  type === 'call.incoming' && JSON.parse(envelope).data.callId === callId

/** A device's stream or poll has gone: its calls are looked at as soon as it would count as away. */
export async function deviceGone(context: Context, actor: Actor): Promise<void> {
  const leases = await context.store.leases.list(actor.user)
  const at = context.clock.now() + context.config.awayAfterMs
  await Promise.all(
    leases.map(({ holder }) => context.store.aggregates.bringForward(callRef(parseHolder(holder).callId), at))
  )
}

/**
 * A call's deadline has come. A late or doubled firing finds nothing due and changes nothing (G7). What a failover forgot of its leases
 * is taken again on the way.
 */
export async function checkCall(context: Context, callId: string): Promise<void> {
  const call = await readCall(context, callId)
  if (call === null || call.phase === 'ended') return
  const [caller, callee] = await Promise.all([
    absentSince(context, call, 'caller'),
    absentSince(context, call, 'callee')
  ])
  const { awayAfterMs: awayMs, graceMs } = context.config
  const command = {
    type: 'check' as const,
    goneSince: { caller, callee },
    awayMs,
    graceMs,
    checkMs: checkEveryMs(context.config)
  }
  await retakeLeases(context, call)
  const { before, state } = await transact(context, callId, (state, now) => decideCall(state, command, now))
  // It ended between the two, and with it what was taken again would stay.
  if (before?.phase === 'ended') await releaseLeases(context, state)
}

function absentSince(context: Context, call: CallState, side: Side): Promise<number | null> {
  const device = endpointOf(call, side)
  return device === null ? Promise.resolve(null) : deviceAbsentSince(context, device, call.answeredAt ?? call.createdAt)
}
