// Taking and releasing leases (docs/decisions/0007-leases.md). test/model/leases.mjs explores every state of the protocol. Its rules:
// 1. A lease is released only after its call has ended in the store, and only for the holder that took it.
// 2. Before the lease of a call that does not exist is taken over, a tombstone makes the call impossible. Before the lease of a transfer that is
//    not committed is, the transfer is closed. The lease of a target names its transfer, so it can be over although the call is live.
// 3. Leases are taken in the order of the user ids. A lease is stale if its id is another caller's call, or a call to another callee.
// 4. An accept validates everything, makes the callee's lease active, then commits. If it fails after that, the lease remains active: another
//    device of the user may have won the call.
import { isInvited } from '../../domain/call/called.js'
import type { Refusal } from '../../domain/call/command.js'
import { callerUsers } from '../../domain/call/operator-call.js'
import { type CallState, pendingTransfer } from '../../domain/call/state.js'
import { type CallIdRecord, decideRefusal } from '../../domain/call/tombstone.js'
import { transfereeOf, transferTo } from '../../domain/call/transfer-state.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Lease, LeaseKind, LeaseLimits } from '../../store/leases.js'
import type { UserClaim } from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { formatHolder, holderOf, isLiveCallOf, isUndecided, mayBeLeaseOf, parseHolder } from './lease-holder.js'
import { readCall, readRecord, updateRecord } from './update-call.js'

/** A user whom a create rings. */
export interface LeasedCallee {
  readonly user: string
  /** The callee knows the caller: the call does not count against MAX_RINGING_PER_USER. */
  readonly isKnown?: boolean
  /** The callee blocks the caller: no lease is taken on the callee. */
  readonly isMuted?: boolean
}

/** The attempt of a create that takes the leases. */
export interface LeaseRequest {
  readonly callId: string
  readonly caller: Endpoint
  /** See nextAttempt in domain/call/tombstone.ts. */
  readonly attempt: number
  /** Those who ring at once. */
  readonly callees: readonly LeasedCallee[]
  /** The call is for several users, of whom others may ring later. */
  readonly isForSeveral: boolean
  /** Of a consultation: the caller's lease of the call that goes on, which does not count. */
  readonly uncounted?: string | undefined
}

const holderIn = ({ callId, caller, attempt }: LeaseRequest) => ({ callId, caller: caller.user, attempt })
const holderOfRequest = (request: LeaseRequest): string => formatHolder(holderIn(request))

/** The only user whom the create calls; null: there are several. */
export const onlyCallee = ({ callees, isForSeveral }: Pick<LeaseRequest, 'callees' | 'isForSeveral'>): string | null =>
  isForSeveral ? null : (callees[0]?.user ?? null)

/** The claims of a create: an active lease on the caller, a ringing one on each callee. */
export function claimsOf(context: Context, request: LeaseRequest): UserClaim[] {
  const { caller, callees, uncounted } = request
  const at = context.clock.now()
  const lease = { holder: holderOfRequest(request), role: caller.device, at }
  const claimOn = (user: string, peer: string, kind: LeaseKind): UserClaim => ({
    ...{ user, lease: { ...lease, peer, kind } },
    limits: limitsFor(context, kind)
  })
  const ringing = callees.filter(({ isMuted }) => !isMuted)
  return [
    withoutCounting(uncounted, claimOn(caller.user, onlyCallee(request) ?? '', 'active')),
    ...ringing.map(({ user, isKnown }) => claimOn(user, caller.user, isKnown ? 'ringing_known' : 'ringing'))
  ]
}

/** The same claim if a lease does not count: that of a call that is about to end, or that the new one exists for. */
const withoutCounting = (uncounted: string | undefined, claim: UserClaim): UserClaim =>
  uncounted === undefined ? claim : { ...claim, limits: { ...claim.limits, uncounted } }

/** The claim of a user whose turn it is to ring. */
export function ringingClaim(context: Context, call: CallState, { user, isKnown }: LeasedCallee): UserClaim {
  const kind = isKnown ? 'ringing_known' : 'ringing'
  return { user, lease: leaseFor(context, call, { user, kind }), limits: limitsFor(context, kind) }
}

/** The claim of an accept: an active lease on the callee. A lease that a failover has lost is taken again. */
export function activeClaim(context: Context, call: CallState, user: string): UserClaim {
  const lease = leaseFor(context, call, { user, kind: 'active' })
  return { user, lease, limits: { active: context.config.maxCallsPerUser } }
}

/** The claims of an accept. Of a transferred call also the party that stays: the peer of its lease has changed. */
export function claimsOfAccept(context: Context, call: CallState, user: string): UserClaim[] {
  const mine = withoutCounting(call.transfer?.replaces?.lease, activeClaim(context, call, user))
  if (call.transfer === null) return [mine]
  const { user: transferee } = transfereeOf(call, call.transfer)
  const { lease } = activeClaim(context, call, transferee)
  return [mine, { user: transferee, lease: { ...lease, peer: '' }, limits: {} }]
}

/** The leases of a live call. No limit holds for its parties, who are in it: a consultation is one more call than the limit. */
export const claimsToRestore = (context: Context, call: CallState): UserClaim[] =>
  leasedUsers(call).map(user => {
    const rings = user !== call.caller.user && (call.phase === 'ringing' || transferTo(call, user) !== null)
    if (!rings) return { user, lease: leaseFor(context, call, { user, kind: 'active' }), limits: {} }
    return withoutCounting(call.transfer?.replaces?.lease, ringingClaim(context, call, { user }))
  })

/** The claim of a transfer: a ringing lease on its target. `transferring`: the call in which it rings. */
export function transferClaim(
  context: Context,
  transferring: CallState,
  { isKnown }: { isKnown: boolean }
): UserClaim[] {
  const target = transferring.transfer?.target
  if (target === undefined || target.isMuted) return []
  const kind = isKnown ? 'ringing_known' : 'ringing'
  const lease = leaseFor(context, transferring, { user: target.user, kind })
  const claim = { user: target.user, lease, limits: limitsFor(context, kind) }
  return [withoutCounting(transferring.transfer?.replaces?.lease, claim)]
}

/** Bounds what is stored for one user; far more known callers than a user can answer. */
const RINGING_KNOWN_MAX = 64

export function limitsFor({ config }: Context, kind: LeaseKind): LeaseLimits {
  const active = { active: config.maxCallsPerUser }
  if (kind === 'active') return active
  const ringing = kind === 'ringing' ? { ringing: config.maxRingingPerUser } : { ringing_known: RINGING_KNOWN_MAX }
  return { ...(config.callWaiting ? {} : active), ...ringing }
}

export function leaseFor(
  { clock }: Context,
  call: CallState,
  { user, kind }: { user: string; kind: LeaseKind }
): Lease {
  const transfer = transferTo(call, user)
  const peerOfCalled = transfer ? transfereeOf(call, transfer).user : call.caller.user
  const peer = user === call.caller.user ? peerOfCaller(call) : peerOfCalled
  return { holder: holderOf(call, user), peer, kind, role: call.caller.device, at: clock.now() }
}

/** The caller of several users, or of a transferred call, has no peer: the lease on each of the called users has. */
function peerOfCaller({ called, joined }: CallState): string {
  return called.length === 1 && joined.callee.transfer === 0 ? (called[0]?.user ?? '') : ''
}

/** Releases the leases of the create that are stale according to the record (rules 1 and 3). */
export async function releaseStaleLeases(context: Context, request: LeaseRequest, record: CallIdRecord): Promise<void> {
  const stale = usersIn(request).filter(user => !mayBeLeaseOf(record, holderIn(request), user))
  await Promise.all(stale.map(user => context.store.leases.release(user, holderOfRequest(request))))
}

const usersIn = ({ caller, callees }: LeaseRequest) => [caller.user, ...callees.map(({ user }) => user)]

/** Releases the leases of a closed attempt. */
export const releaseClosedAttempt = ({ store }: Context, request: LeaseRequest): Promise<unknown> =>
  Promise.all(usersIn(request).map(user => store.leases.release(user, holderOfRequest(request))))

/**
 * Releases the user's lease if neither the call nor a running transfer needs it. On a Cluster a commit that was refused may have taken it after
 * it was released. If another device of the user has won the call, the lease stays.
 */
export async function releaseIfOver(context: Context, user: string, text: string): Promise<void> {
  const holder = parseHolder(text)
  const record = await readRecord(context, holder.callId)
  if (record === null || isUndecided(record, holder) || mayBeLeaseOf(record, holder, user)) return
  await context.store.leases.release(user, text)
}

/** Releases the leases of a call that has ended. */
export async function releaseLeases({ store }: Context, call: CallState): Promise<void> {
  await Promise.all(leasedUsers(call).map(user => store.leases.release(user, holderOf(call, user))))
}

/** The users that a live call has leases on. */
export function leasedUsers(call: CallState): string[] {
  const target = pendingTransfer(call)?.target
  const called = [...call.called, ...(target ? [target] : [])]
  return [...callerUsers(call), ...called.filter(isInvited).map(({ user }) => user)]
}

interface Attempt extends Pick<LeaseRequest, 'callId' | 'caller' | 'attempt'> {
  /** The only user who is called; null: there are several. */
  readonly to: string | null
}

/** Makes the call of this attempt impossible, unless it exists. Resolves to the record after that. */
export async function writeTombstone(
  context: Context,
  { callId, caller: actor, to, attempt }: Attempt,
  because: Refusal
): Promise<CallIdRecord> {
  const command = { callId, actor, to, attempt, because, keepMs: context.config.retentionMs }
  return (await updateRecord(context, { id: callId }, (record, now) => decideRefusal(record, command, now))).state
}

/** The live calls of the user. */
export async function listLiveCalls(context: Context, user: string): Promise<CallState[]> {
  const leases = await context.store.leases.list(user)
  const holders = leases.map(({ holder }) => parseHolder(holder))
  const states = await Promise.all(holders.map(({ callId }) => readCall(context, callId)))
  return states.filter((call, i): call is CallState => {
    const holder = holders[i]
    return call !== null && holder !== undefined && isLiveCallOf(call, holder, user)
  })
}
