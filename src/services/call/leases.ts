// The lease protocol of DESIGN 5a, explored exhaustively by test/model/leases.mjs. Its rules, as far as they are kept here:
// 1. a lease is released only for a call that has ended in its own slot, and only for the holder that took it;
// 2. a call that does not exist is made unable to exist before its lease is taken over;
// 3. leases are taken in the order of the user ids; a lease whose id is another caller's call, or one to another callee, is over.
import { wait } from '../../clock.js'
import type { Refusal } from '../../domain/call/command.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallRecord, callIn, refuseIn } from '../../domain/call/tombstone.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Lease, LeaseKind, LeaseLimits } from '../../store/leases.js'
import type { Refused, UserClaim } from '../aggregate-kind.js'
import type { Context } from '../context.js'
import { formatHolder, holderOfCall, isBehind, isUndecided, parseHolder } from './lease-holder.js'
import { readCall, readRecord, transactRecord } from './update-call.js'

/** A create needs a few round trips between its leases and its call; one that needs longer than this is fenced. */
const STALLED_MS = 2000
const POLL_MS = 25
/** Rounds of claiming leases: with what is waited for in each, longer than any create takes. */
export const ROUNDS_MAX = 200

/** The create that takes the leases. */
export interface LeaseRequest {
  readonly callId: string
  readonly caller: Endpoint
  /** See nextAttempt in domain/call/tombstone.ts. */
  readonly attempt: number
  readonly to: string
  /** The callee knows the caller: the call does not count against MAX_RINGING_PER_USER. */
  readonly isKnown?: boolean
  /** The callee blocks the caller: no lease is taken on the callee. */
  readonly isMuted?: boolean
}

const holderIn = ({ callId, caller, attempt }: LeaseRequest) => ({ callId, caller: caller.user, attempt })
const holderOf = (request: LeaseRequest): string => formatHolder(holderIn(request))

/** What a create needs: an active lease on the caller, and one on the callee that rings. */
export function claimsOf(context: Context, request: LeaseRequest): UserClaim[] {
  const { caller, to, isMuted, isKnown } = request
  const claimOn = (user: string, peer: string, kind: LeaseKind): UserClaim => ({
    user,
    lease: {
      holder: holderOf(request),
      peer,
      kind,
      role: formatRole(user === caller.user, caller.device),
      at: context.clock.now()
    },
    limits: limitsFor(context, kind)
  })
  const mine = claimOn(caller.user, to, 'active')
  return isMuted ? [mine] : [mine, claimOn(to, caller.user, isKnown ? 'ringing_known' : 'ringing')]
}

/** Releases what the create took, as far as what is kept under its id is not behind it (rules 1 and 3). */
export async function releaseUnbacked(context: Context, request: LeaseRequest, record: CallRecord): Promise<void> {
  const { caller, to } = request
  const unbacked = [caller.user, to].filter(user => !isBehind(record, holderIn(request), user))
  await Promise.all(unbacked.map(user => context.store.leases.release(user, holderOf(request))))
}

/** What a closed attempt took, as far as it got. */
export const releaseClosed = ({ store }: Context, request: LeaseRequest): Promise<unknown> =>
  Promise.all([request.caller.user, request.to].map(user => store.leases.release(user, holderOf(request))))

export type Obstacle =
  /** There is none any more: a lease whose call is over was released, or their call had to be waited for. */
  | { readonly status: 'gone' }
  /** The user holds as many leases as they may, or the two are in a call already. */
  | { readonly status: 'busy'; readonly user: string }
  /** The callee is calling the caller: the call of theirs that rings. */
  | { readonly status: 'glare'; readonly call: CallState }

/** What is in the way of a create whose claim was refused. */
export async function findObstacle(
  context: Context,
  request: LeaseRequest,
  { user, held }: Refused['refused']
): Promise<Obstacle> {
  const { caller, to } = request
  const peer = user === caller.user ? to : caller.user
  const found = await Promise.all(held.map(each => examine(context, user, each)))
  if (found.some(({ isOver }) => isOver)) return { status: 'gone' }
  const rival = found.find(each => each.held.peer === peer)
  if (rival === undefined) return { status: 'busy', user }
  if (rival.call && isGlare(rival.call, request)) return { status: 'glare', call: rival.call }
  // One live call a pair. A caller whom this one blocks is simply busy.
  if (rival.call) return { status: 'busy', user: rival.call.isMuted ? user : caller.user }
  // Their call is about to be created: wait until it exists, or until its create counts as stalled.
  await wait(context.clock, POLL_MS)
  return { status: 'gone' }
}

/** Far more known callers than a user can answer; it bounds what is kept for one user. */
const RINGING_KNOWN_MAX = 64

function limitsFor({ config }: Context, kind: LeaseKind): LeaseLimits {
  const active = { active: config.maxCallsPerUser }
  if (kind === 'active') return active
  const ringing = kind === 'ringing' ? { ringing: config.maxRingingPerUser } : { ringing_known: RINGING_KNOWN_MAX }
  return { ...(config.callWaiting ? {} : active), ...ringing }
}

const isGlare = (call: CallState, { caller, to }: LeaseRequest) =>
  call.phase === 'ringing' && !call.isMuted && call.caller.user === to && call.callee?.user === caller.user

interface Examined {
  readonly held: Lease
  /** The call that the lease is held for; null: it does not exist yet, or never will. */
  readonly call: CallState | null
  /** Nothing will ever be behind the lease; it is released now. */
  readonly isOver: boolean
}

/** Reads what is behind a lease. A lease whose call is over, or can be kept from existing, is released on the way. */
async function examine(context: Context, user: string, held: Lease): Promise<Examined> {
  const holder = parseHolder(held.holder)
  let record = await readRecord(context, holder.callId)
  if (isUndecided(record, holder)) {
    if (context.clock.now() - held.at <= STALLED_MS) return { held, call: null, isOver: false }
    record = await fenceStalledCreate(context, user, held)
  }
  const isOver = record === null || !isBehind(record, holder, user)
  if (isOver) await context.store.leases.release(user, held.holder)
  return { held, call: isOver ? null : callIn(record), isOver }
}

async function fenceStalledCreate(context: Context, user: string, held: Lease): Promise<CallRecord> {
  const { callId, attempt } = parseHolder(held.holder)
  const { isCaller, device } = parseRole(held.role)
  const actor = { user: isCaller ? user : held.peer, device }
  const to = isCaller ? held.peer : user
  context.log.warn({ callId }, 'a lease without a call is taken over')
  return writeTombstone(context, { callId, caller: actor, to, attempt }, { code: 'call_ended' })
}

/** Makes the create unable to make its call, unless it has. Resolves to what is kept under its id now. */
export async function writeTombstone(context: Context, request: LeaseRequest, because: Refusal): Promise<CallRecord> {
  const { callId, caller: actor, to, attempt } = request
  const command = { callId, actor, to, attempt, because, keepMs: context.config.retentionMs }
  return (await transactRecord(context, callId, (record, now) => refuseIn(record, command, now))).state
}

/** What the accept of the call needs: that the user's lease is active. One that a failover forgot is taken again. */
export function activeClaim(context: Context, call: CallState, user: string): UserClaim {
  const lease = leaseFor(context, call, { user, kind: 'active' })
  return { user, lease, limits: { active: context.config.maxCallsPerUser } }
}

/** The call that takes the user's last active slot, so that this one cannot have it; null: try again, there is none any more. */
export async function findRival(
  context: Context,
  call: CallState,
  { user, held }: Refused['refused']
): Promise<string | null> {
  const other = leaseFor(context, call, { user, kind: 'active' }).peer
  const isRival = ({ holder, kind, peer }: Lease) =>
    holder !== holderOfCall(call) && (kind === 'active' || peer === other)
  const rivals = held.filter(isRival)
  const found = await Promise.all(rivals.map(each => examine(context, user, each)))
  const [first] = rivals
  return first && !found.some(({ isOver }) => isOver) ? parseHolder(first.holder).callId : null
}

/** Makes the user's lease for the call active, ahead of the accept. False: the user has no free active slot. */
export async function activate(context: Context, call: CallState, user: string): Promise<boolean> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { lease, limits } = activeClaim(context, call, user)
    const { taken, held } = await context.store.leases.take(user, lease, limits)
    if (taken) return true
    if ((await findRival(context, call, { user, held })) !== null) return false
  }
  return false
}

const sidesOf = ({ caller, callee, isMuted }: CallState) => [caller.user, ...(callee && !isMuted ? [callee.user] : [])]

function leaseFor({ clock }: Context, call: CallState, { user, kind }: { user: string; kind: LeaseKind }): Lease {
  const { caller, callee } = call
  const isCaller = user === caller.user
  const peer = isCaller ? (callee?.user ?? '') : caller.user
  return { holder: holderOfCall(call), peer, kind, role: formatRole(isCaller, caller.device), at: clock.now() }
}

/**
 * Takes again what a failover has forgotten of the leases for a live call. A user without a free slot goes without. The call may have
 * ended meanwhile: the caller reads it afterwards, and then releases.
 */
export async function retakeLeases(context: Context, call: CallState): Promise<void> {
  await Promise.all(
    sidesOf(call).map(user => {
      if (call.phase !== 'ringing' || user === call.caller.user) return activate(context, call, user)
      const lease = leaseFor(context, call, { user, kind: 'ringing' })
      return context.store.leases.take(user, lease, limitsFor(context, lease.kind))
    })
  )
}

/** Of a call that has ended. */
export async function releaseLeases({ store }: Context, call: CallState): Promise<void> {
  await Promise.all(sidesOf(call).map(user => store.leases.release(user, holderOfCall(call))))
}

/** Resolves when the create behind a lease has made its call; false: it never will, it has stalled, or this node closes. */
export async function waitForCall(context: Context, held: Lease, closing: AbortSignal): Promise<boolean> {
  const holder = parseHolder(held.holder)
  for (;;) {
    const record = await readRecord(context, holder.callId)
    if (!isUndecided(record, holder)) return callIn(record) !== null
    if (closing.aborted || context.clock.now() - held.at > STALLED_MS) return false
    await wait(context.clock, POLL_MS, closing)
  }
}

/**
 * Releases a lease whose call is over or gone, of which both users are told. A create that is at work is waited for. Resolves to the
 * call if it lives.
 */
export async function confirmLease(
  context: Context,
  user: string,
  { lease, closing }: { lease: Lease; closing: AbortSignal }
): Promise<CallState | null> {
  await waitForCall(context, lease, closing)
  if (closing.aborted) return null
  const { call, isOver } = await examine(context, user, lease)
  return isOver ? null : call
}

/** The live calls that the user holds a lease for and is a side of. */
export async function listLiveCalls(context: Context, user: string): Promise<CallState[]> {
  const leases = await context.store.leases.list(user)
  const holders = leases.map(({ holder }) => parseHolder(holder))
  const states = await Promise.all(holders.map(({ callId }) => readCall(context, callId)))
  return states.filter((call, i): call is CallState => {
    const holder = holders[i]
    return call !== null && holder !== undefined && isBehind(call, holder, user)
  })
}

const formatRole = (isCaller: boolean, callerDevice: string) => `${isCaller ? 'caller' : 'callee'}/${callerDevice}`

/** Which side a lease is for, and the caller's device. */
function parseRole(role: string): { isCaller: boolean; device: string } {
  const slash = role.indexOf('/')
  return { isCaller: role.slice(0, slash) === 'caller', device: role.slice(slash + 1) }
}
