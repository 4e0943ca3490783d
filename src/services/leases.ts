// Busy or free, decided across slots by the protocol of DESIGN 5a (explored in shared/model/leases.mjs). The rules kept here:
// a lease is released only for a call that has ended in its own slot, and a call that does not exist is made unable to exist
// before its lease is taken over.
import { wait } from '../clock.js'
import { decideCall } from '../domain/call.js'
import type { CallState } from '../domain/state.js'
import type { Endpoint } from '../schemas/common.js'
import type { Lease } from '../store/store.js'
import type { Context } from './context.js'
import { readCall, transact } from './transact.js'

/** A creator needs a few round trips between its leases and its call; one that needs longer than this is fenced. */
const STALLED_MS = 2000
const LOOK_AGAIN_MS = 25
const ROUNDS_MAX = 200

export interface Claim {
  readonly callId: string
  readonly caller: Endpoint
  readonly to: string
}

export type Claimed =
  | { readonly status: 'taken' }
  /** The user is in other calls. */
  | { readonly status: 'busy'; readonly user: string }
  /** The callee is calling the caller: the call of theirs that rings. */
  | { readonly status: 'glare'; readonly call: CallState }

/** Leases both users, in the order of their ids, so that crossing calls meet at the same key and exactly one goes on. */
export async function claimBoth(context: Context, claim: Claim): Promise<Claimed> {
  for (const user of [claim.caller.user, claim.to].sort()) {
    const claimed = await claimUser(context, claim, user)
    if (claimed.status !== 'taken') return claimed
  }
  return { status: 'taken' }
}

/** Only for a call that has ended in its own slot (rule 1). */
export async function releaseBoth(context: Context, claim: Claim): Promise<void> {
  const { leases } = context.store
  await Promise.all([leases.release(claim.caller.user, claim.callId), leases.release(claim.to, claim.callId)])
}

async function claimUser(context: Context, claim: Claim, user: string): Promise<Claimed> {
  const { callId, caller, to } = claim
  const calling = user === caller.user
  const peer = calling ? to : caller.user
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const at = context.clock.now()
    const lease: Lease = { holder: callId, peer, role: roleOf(calling, caller.device), at }
    const result = await context.store.leases.take(user, lease, context.config.maxCallsPerUser)
    if (result.taken) return { status: 'taken' }
    const found = await Promise.all(result.held.map(held => examine(context, user, held)))
    const rival = found.find(({ held }) => held.peer === peer)
    if (rival?.call && isGlare(rival.call, claim)) return { status: 'glare', call: rival.call }
    if (found.some(({ freed }) => freed)) continue
    // The same two people, and their call not born yet: wait the moment it takes, or until it counts as stalled.
    if (rival === undefined || rival.call !== null) return { status: 'busy', user }
    await wait(context.clock, LOOK_AGAIN_MS)
  }
  return { status: 'busy', user }
}

const isGlare = (call: CallState, { caller, to }: Claim) =>
  call.phase === 'ringing' && call.caller.user === to && call.callee?.user === caller.user

/** The call behind a lease; a lease whose call is over, or can be kept from existing, is freed on the way. */
async function examine(context: Context, user: string, held: Lease) {
  let call = await readCall(context, held.holder)
  if (call === null && context.clock.now() - held.at > STALLED_MS) call = await fenceCreator(context, user, held)
  const freed = call?.phase === 'ended'
  if (freed) await context.store.leases.release(user, held.holder)
  return { held, call, freed }
}

async function fenceCreator(context: Context, user: string, held: Lease): Promise<CallState> {
  const { calling, device } = parseRole(held.role)
  const actor = { user: calling ? user : held.peer, device }
  const to = calling ? held.peer : user
  context.log.warn({ callId: held.holder }, 'a lease without a call is taken over')
  const { state } = await transact(context, held.holder, (call, now) =>
    decideCall(call, { type: 'fence', callId: held.holder, actor, to }, now)
  )
  return state
}

const roleOf = (calling: boolean, callerDevice: string) => `${calling ? 'caller' : 'callee'}/${callerDevice}`

/** Which side a lease is for, and the caller's device. */
export function parseRole(role: string): { calling: boolean; device: string } {
  const slash = role.indexOf('/')
  return { calling: role.slice(0, slash) === 'caller', device: role.slice(slash + 1) }
}
