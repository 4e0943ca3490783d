// What connecting and disconnecting devices mean for presence, calls and rooms.

import { nextToRing } from '../../domain/call/called.js'
import type { SeenConnection } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { endpointOf } from '../../domain/call/party.js'
import type { CallState, Side } from '../../domain/call/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Lease } from '../../store/leases.js'
import type { Cursor, StoredEvent } from '../../store/store.js'
import { confirmLease, restoreLeases } from '../call/lease-conflicts.js'
import { isLiveCallOf, parseHolder } from '../call/lease-holder.js'
import { releaseLeases } from '../call/leases.js'
import { endReplacedCalls } from '../call/replaced-calls.js'
import { ringNext } from '../call/ring-next.js'
import { seenConnection } from '../call/seen.js'
import { callRef, readCall, updateCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { checkEveryMs } from '../intervals.js'
import { isPresenceForOperator, schedulePresenceCheck } from '../presence/publish-presence.js'
import { markAwayInRooms, markReturnedInRooms } from '../room/liveness.js'
import { offerInvitations } from '../room/ringing-invitations.js'
import { cursorBeforeOffer } from './late-offer.js'
import { deviceAbsentSince } from './liveness.js'

export interface Connected {
  /** Offers after this cursor reached the device. Null: it resumed and has them all. */
  readonly since: Cursor | null
  /** See `Touched.isInvolved`. */
  readonly isInvolved: boolean
  /** False: a poll. */
  readonly isStream: boolean
}

/** What delivery calls. onConnected and onDisconnected never throw; after a failure the deadline of the call or room is checked instead. */
export function deviceCallbacks(context: Context) {
  const inBackground = (work: Promise<void>) => {
    work.catch(error => context.log.debug({ err: error }, 'device change not applied; a deadline applies it'))
  }
  return {
    onConnected(actor: Actor, { since, isInvolved, isStream }: Connected): void {
      if (isInvolved || isPresenceForOperator(context)) schedulePresenceCheck(context, actor.user)
      if (!isInvolved) return
      const connection = seenConnection(context, isStream && since === null)
      inBackground(resumeDevice(context, actor, { since, connection }))
      inBackground(markReturnedInRooms(context, actor))
    },
    onDisconnected(actor: Actor): void {
      inBackground(deviceGone(context, actor))
      inBackground(markAwayInRooms(context, actor))
      schedulePresenceCheck(context, actor.user)
    },
    isEngaged: (actor: Actor) => isEngaged(context, actor)
  }
}

/** In a room, or in a live call as the caller or as the device that answered. @throws AppError store_unavailable */
async function isEngaged(context: Context, { user, device }: Actor): Promise<boolean> {
  const { leases, memberships } = context.store
  const [held, rooms] = await Promise.all([leases.list(user), memberships.list(user)])
  if (rooms.some(room => room.device === device)) return true
  const calls = await Promise.all(held.map(({ holder }) => readCall(context, parseHolder(holder).callId)))
  return calls.some(call => call !== null && call.phase !== 'ended' && isInCall(call, { user, device }))
}

/** As the caller, or as the device that answered. */
const isInCall = (call: CallState, { user, device }: Endpoint): boolean =>
  [endpointOf(call, 'caller'), endpointOf(call, 'callee')].some(end => end?.user === user && end.device === device)

interface Resumption {
  /** See Connected. */
  readonly since: Cursor | null
  /** Undefined: the caller does not need it. */
  readonly connection?: SeenConnection | undefined
}

/**
 * Offers ringing calls and invitations that the device has not received after `since` (null: it needs no offers), and ends the
 * `call.peer_away` state of its calls.
 */
export async function resumeDevice(context: Context, actor: Actor, { since, connection }: Resumption): Promise<void> {
  const leases = await context.store.leases.list(actor.user)
  await Promise.all([
    ...leases.map(lease => resumeInCall(context, actor, { lease, since, connection })),
    since && offerInvitations(context, actor, since)
  ])
}

async function resumeInCall(
  context: Context,
  { user, device }: Actor,
  { lease, since, connection }: Resumption & { readonly lease: Lease }
): Promise<void> {
  const holder = parseHolder(lease.holder)
  const { callId } = holder
  // Reading a call delivers its waiting mail, so a device that was registered when the call rang has its offer from here on.
  const call = await readCall(context, callId)
  if (call === null || !isLiveCallOf(call, holder, user)) {
    return context.background.run(`confirm lease ${lease.holder} ${user}`, closing =>
      confirmLease(context, user, { lease, closing })
    )
  }
  const actor = { user, device }
  const isOffer = (event: StoredEvent) => isOfferOf(event, callId)
  for (;;) {
    // A concurrent resume may append the same offer. It moves the mailbox, the append at `offerAt` fails, and the mailbox is read again.
    const offerAt = since && (await cursorBeforeOffer(context, actor, { since, isOffer }))
    const command = { type: 'appeared' as const, actor, offerAt, connection }
    const { deliveries } = await updateCall(context, { id: callId }, (call, now) => decideCall(call, command, now))
    const offered = deliveries.get(user)
    if (offered === undefined || offered.online + offered.queued > 0) return
  }
}

const isOfferOf = ({ type, envelope }: StoredEvent, callId: string) =>
  type === 'call.incoming' && JSON.parse(envelope).data.callId === callId

/** The device has no connection any more: its calls are checked when it would count as away. */
export async function deviceGone(context: Context, actor: Actor): Promise<void> {
  const leases = await context.store.leases.list(actor.user)
  const at = context.clock.now() + context.config.awayAfterMs
  await Promise.all(
    leases.map(({ holder }) => context.store.aggregates.bringForward(callRef(parseHolder(holder).callId), at))
  )
}

/** The call's deadline has come. A repeated check changes nothing (G7). It also restores leases that a failover has lost. */
export async function checkCall(context: Context, callId: string): Promise<void> {
  const call = await readCall(context, callId)
  if (call) await endReplacedCalls(context, call)
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
  await restoreLeases(context, call)
  const { before, state } = await updateCall(context, { id: callId }, (state, now) => decideCall(state, command, now))
  // The call ended after it was read, so the restored leases have to be released.
  if (before?.phase === 'ended') await releaseLeases(context, state)
  if (nextToRing(state)) await ringNext(context, callId)
}

function absentSince(context: Context, call: CallState, side: Side): Promise<number | null> {
  const device = endpointOf(call, side)
  return device === null ? Promise.resolve(null) : deviceAbsentSince(context, device, call.answeredAt ?? call.createdAt)
}
