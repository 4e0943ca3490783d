// Accepting a call: validate, make the callee's lease active, commit (leases.ts, rule 4).
import type { CommandOf } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { conflict } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import { phaseFor } from '../../domain/call/transfer-state.js'
import { viewCall } from '../../domain/call/view.js'
import { endpoint } from '../../domain/endpoint.js'
import { readOptionalCandidates } from '../../domain/negotiation/candidate.js'
import { parseDescription } from '../../domain/negotiation/sdp.js'
import { AppError } from '../../errors.js'
import type { AcceptCallReply, AcceptCallRequest } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import type { CandidateOutcomes } from '../../schemas/signal.js'
import { formatCursor } from '../../store/cursor.js'
import type { Lease } from '../../store/leases.js'
import type { LeaseRefusal, UpdateTarget } from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { actAs } from '../device/keepalive.js'
import { acceptTimes } from '../intervals.js'
import { ROUNDS_MAX, resolveActiveConflict, waitForCall } from './lease-conflicts.js'
import { holderOf, parseHolder } from './lease-holder.js'
import { claimsOfAccept, releaseIfOver } from './leases.js'
import { endReplacedInBackground } from './replaced-calls.js'
import { ringNextInBackground } from './ring-next.js'
import { seeNodes } from './seen.js'
import { type CallUpdate, readCall, updateCall, updateCallWithLeases } from './update-call.js'

/**
 * Registers the device, if it is not: the device's stream resumes after the cursor, and gets all later events of the call.
 * @throws AppError call_not_found, wrong_party, call_ended, answered_elsewhere, caller_busy, invalid_sdp, too_large, too_many_devices
 */
export async function acceptCall(
  context: Context,
  actor: Actor,
  { callId, offer, answer, ...candidates }: AcceptCallRequest & { readonly callId: string }
): Promise<AcceptCallReply> {
  if (offer && answer) throw new AppError('invalid_request', { detail: 'body must not have both offer and answer' })
  const device = actAs(context, actor)
  const parse = (description?: { readonly sdp: string }) =>
    description && parseDescription(description.sdp, context.config.maxSdpBytes)
  const accepted = await commitAccept(
    context,
    { id: callId, acting: device.acting },
    {
      actor: endpoint(actor),
      offer: parse(offer),
      answer: parse(answer),
      batch: readOptionalCandidates(candidates)
    }
  )
  const { state, head, outcomes } = accepted
  const cursor = formatCursor(await device.cursor(head))
  return { call: viewCall(state, context.clock.now(), actor.user), cursor, ...(outcomes && { outcomes }) }
}

interface AcceptedCall extends CallUpdate {
  readonly outcomes: CandidateOutcomes | undefined
}

/** Also accepts the call that a glare was merged into. @throws AppError caller_busy, with the call that the user is in */
export async function commitAccept(
  context: Context,
  target: UpdateTarget,
  accept: Omit<CommandOf<'accept'>, 'type' | keyof ReturnType<typeof acceptTimes>>
): Promise<AcceptedCall> {
  const command = { type: 'accept' as const, ...accept, ...acceptTimes(context.config) }
  const { actor } = accept
  let claimed: CallState | null = null
  let outcomes: CandidateOutcomes | undefined
  const decide = (call: CallState | null, now: number) => {
    const decision = decideCall(call, command, now)
    outcomes = decision.outcomes
    if (call === null || decision.state === call) return decision
    claimed = call
    return { ...decision, claims: claimsOfAccept(context, call, actor.user) }
  }
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = await updateCallWithLeases(context, target, decide).catch(async error => {
      const isOver = error instanceof AppError && ['call_ended', 'answered_elsewhere'].includes(error.code)
      if (claimed && isOver) await releaseIfOver(context, actor.user, holderOf(claimed, actor.user))
      throw error
    })
    if (!('refused' in result)) {
      if (result.before !== result.state) seeNodes(context, result.state)
      ringNextInBackground(context, result.state)
      endReplacedInBackground(context, result.state)
      endWaitingCalls(context, actor.user, await leasesAfter(context, actor.user, result))
      return { ...result, outcomes }
    }
    await throwIfBusy(context, claimed, result)
  }
  throw new AppError('store_unavailable', { detail: 'Too many concurrent changes' })
}

/**
 * Returns if the accept has to be decided again: the conflicting lease is gone, or the call has changed. On a Cluster the claim is judged
 * before the call, which may have been a cached one.
 */
async function throwIfBusy(context: Context, call: CallState | null, { refused }: LeaseRefusal): Promise<void> {
  const activeCallId = call && (await resolveActiveConflict(context, call, refused))
  if (!call || !activeCallId || (await readCall(context, call.callId))?.version !== call.version) return
  const detail = 'End the call you are in first'
  throw conflict(phaseFor(call, refused.user), 'caller_busy', { detail, retryable: true, extra: { activeCallId } })
}

/**
 * The leases of the user except those on calls that the accepted one replaces. A repeat reads them, because the node that made the commit may have
 * died before it ended the other calls.
 */
async function leasesAfter({ store }: Context, user: string, { before, state, leases }: CallUpdate) {
  const held = before === state ? await store.leases.list(user) : (leases.get(user) ?? [])
  return held.filter(({ holder }) => !state.replaced?.some(({ callId }) => callId === parseHolder(holder).callId))
}

/**
 * Ends the user's other ringing calls as `busy` if the user is now in as many calls as allowed and there is no call waiting. Each end is a commit
 * after the accept. If the node dies in between and the client does not repeat the accept, they ring until their deadlines.
 */
function endWaitingCalls(context: Context, user: string, leases: readonly Lease[]): void {
  const { callWaiting, maxCallsPerUser } = context.config
  const ringing = leases.filter(({ kind }) => kind !== 'active')
  if (callWaiting || leases.length - ringing.length < maxCallsPerUser) return
  for (const lease of ringing) {
    const { callId } = parseHolder(lease.holder)
    context.background.run(`end waiting call ${lease.holder}`, async closing => {
      if (!(await waitForCall(context, lease, closing))) return
      const busy = { type: 'busy' as const, user }
      const { state } = await updateCall(context, { id: callId }, (call, now) => decideCall(call, busy, now))
      ringNextInBackground(context, state)
    })
  }
}
