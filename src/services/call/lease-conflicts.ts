// The leases that prevent a call. Each belongs to a live call or to a running create; a lease of neither is stale and is released.
import { wait } from '../../clock.js'
import { calledUser } from '../../domain/call/called.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { isPartyOf } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallIdRecord, callIn } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Lease } from '../../store/leases.js'
import { keepState, type LeaseRefusal } from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { holderOf, isUndecided, mayBeLeaseOf, parseHolder } from './lease-holder.js'
import { activeClaim, claimsToRestore, type LeaseRequest, leaseFor, onlyCallee, writeTombstone } from './leases.js'
import { readRecord, updateRecord } from './update-call.js'

/** A create needs a few round trips between its leases and its call. After this time it counts as stalled and is fenced. */
const STALLED_MS = 2000
const POLL_MS = 25
/** Rounds of claiming leases: each may wait POLL_MS, so together they last longer than any create. */
export const ROUNDS_MAX = 200

export type ConflictingLease =
  /** A stale lease was released, or the peer's create is not committed yet: claim again. */
  | { readonly status: 'gone' }
  /** The user is in as many calls as allowed, this one among them, or the two users are in it with each other. */
  | { readonly status: 'busy'; readonly user: string; readonly callId: string }
  /** The callee's call to the caller, which rings. */
  | { readonly status: 'glare'; readonly call: CallState }

/**
 * Why the claim of a create was refused. Releases stale leases, which may write the tombstone of a stalled create, and waits POLL_MS for a
 * create of the peer that has not committed its call.
 */
export async function resolveLeaseConflict(
  context: Context,
  request: LeaseRequest,
  { user, held }: LeaseRefusal['refused']
): Promise<ConflictingLease> {
  const { caller } = request
  const to = onlyCallee(request)
  const peer = user === caller.user ? to : caller.user
  const found = await Promise.all(held.map(lease => releaseIfStale(context, user, lease)))
  if (found.some(({ isStale }) => isStale)) return { status: 'gone' }
  const glare = found.find(({ call }) => call && isGlare(call, caller, to))?.call
  if (glare) return { status: 'glare', call: glare }
  const withPeer = peer === null ? undefined : found.find(({ lease }) => lease.peer === peer)
  // The peer's create has taken its leases and not committed its call yet. If it calls several, this caller may be one of them.
  const isUndecidedPeer = ({ lease, call }: ExaminedLease) => call === null && [peer, ''].includes(lease.peer)
  if (peer !== null && !withPeer?.call && found.some(isUndecidedPeer)) {
    await wait(context.clock, POLL_MS)
    return { status: 'gone' }
  }
  if (!withPeer?.call) return { status: 'busy', user, callId: activeCallOf(held) }
  const { call } = withPeer
  // A pair of users has one live call. If the caller is no party of it, by a block or because it waits for its turn, the callee is busy.
  const isKnown = to !== null && isPartyOf(call, caller.user)
  return { status: 'busy', user: isKnown ? caller.user : (to ?? user), callId: call.callId }
}

/** The claim was refused because of these leases. Only the claim of a callee can be refused without an active one. */
function activeCallOf(held: readonly Lease[]): string {
  const lease = held.find(({ kind }) => kind === 'active')
  return lease === undefined ? '' : parseHolder(lease.holder).callId
}

function isGlare(call: CallState, caller: Endpoint, to: string | null): boolean {
  const { device = null } = calledUser(call, caller.user) ?? {}
  const ringsHere = isPartyOf(call, caller.user) && (device === null || device === caller.device)
  return call.phase === 'ringing' && call.caller.user === to && ringsHere
}

/** The call because of which the user cannot be in another one; null: a stale lease was released, claim again. */
export async function resolveActiveConflict(
  context: Context,
  call: CallState,
  { user, held }: LeaseRefusal['refused']
): Promise<string | null> {
  const { peer } = leaseFor(context, call, { user, kind: 'active' })
  const isConflicting = (lease: Lease) =>
    lease.holder !== holderOf(call, user) &&
    lease.holder !== call.transfer?.replaces?.lease &&
    (lease.kind === 'active' || lease.peer === peer)
  const conflicting = held.filter(isConflicting)
  const found = await Promise.all(conflicting.map(lease => releaseIfStale(context, user, lease)))
  const [first] = conflicting
  return first && !found.some(({ isStale }) => isStale) ? parseHolder(first.holder).callId : null
}

interface ExaminedLease {
  readonly lease: Lease
  /** Null: the call does not exist yet, or never will. */
  readonly call: CallState | null
  /** The lease belonged to no live call and to no running create; it was released. */
  readonly isStale: boolean
}

/** Whether one of the leases was stale, and is released. */
export async function releaseStale(context: Context, { user, held }: LeaseRefusal['refused']): Promise<boolean> {
  const found = await Promise.all(held.map(lease => releaseIfStale(context, user, lease)))
  return found.some(({ isStale }) => isStale)
}

async function releaseIfStale(context: Context, user: string, lease: Lease): Promise<ExaminedLease> {
  const holder = parseHolder(lease.holder)
  let record = await readRecord(context, holder.callId)
  if (isUndecided(record, holder)) {
    if (context.clock.now() - lease.at <= STALLED_MS) return { lease, call: null, isStale: false }
    record = await fenceStalledCreate(context, user, lease)
  }
  const isStale = record === null || !mayBeLeaseOf(record, holder, user)
  if (isStale) await context.store.leases.release(user, lease.holder)
  return { lease, call: isStale ? null : callIn(record), isStale }
}

async function fenceStalledCreate(context: Context, user: string, lease: Lease): Promise<CallIdRecord> {
  const { callId, attempt, caller: creator, transfer } = parseHolder(lease.holder)
  if (transfer !== undefined) {
    const closed = await updateRecord(context, { id: callId }, (record, now) => {
      const call = callIn(record)
      return call ? decideCall(call, { type: 'closeTransfers', upTo: transfer }, now) : keepState(record)
    })
    if (callIn(closed.state)) return closed.state
  }
  const to = user === creator ? lease.peer || null : user
  const caller = { user: creator, device: lease.role }
  context.log.warn({ callId }, 'create stalled or call lost; its lease is released')
  return writeTombstone(context, { callId, caller, to, attempt }, { code: 'call_ended' })
}

/**
 * Makes the user's lease for the call active, before the accept. Resolves to the call because of which the user cannot be in another one; null:
 * the lease is active.
 */
export async function activateLease(context: Context, call: CallState, user: string): Promise<string | null> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { lease, limits } = activeClaim(context, call, user)
    const { taken, held } = await context.store.leases.take(user, lease, limits)
    if (taken) return null
    const activeCallId = await resolveActiveConflict(context, call, { user, held })
    if (activeCallId !== null) return activeCallId
  }
  throw new AppError('store_unavailable', { detail: 'Too many concurrent changes' })
}

/**
 * Takes the leases of a live call again that a failover has lost. The call may end meanwhile: who calls this function reads the call afterwards,
 * and releases the leases if it has ended.
 */
export async function restoreLeases(context: Context, call: CallState): Promise<void> {
  const { leases } = context.store
  await Promise.all(claimsToRestore(context, call).map(({ user, lease, limits }) => leases.take(user, lease, limits)))
}

/** Waits for the create that took the lease. False: it will not make its call, it has stalled, or this node closes. */
export async function waitForCall(context: Context, lease: Lease, closing: AbortSignal): Promise<boolean> {
  const holder = parseHolder(lease.holder)
  for (;;) {
    const record = await readRecord(context, holder.callId)
    if (!isUndecided(record, holder)) return callIn(record) !== null
    if (closing.aborted || context.clock.now() - lease.at > STALLED_MS) return false
    await wait(context.clock, POLL_MS, closing)
  }
}

/**
 * Waits for a running create, and releases the lease if it is stale; a call that was lost is ended for both users. Resolves to the live
 * call, or null.
 */
export async function confirmLease(
  context: Context,
  user: string,
  { lease, closing }: { lease: Lease; closing: AbortSignal }
): Promise<CallState | null> {
  await waitForCall(context, lease, closing)
  if (closing.aborted) return null
  return (await releaseIfStale(context, user, lease)).call
}
