// Descriptions and candidates. A candidate of the current generation is one round trip: decided on the call this node knows,
// appended to the peer's mailbox on the condition that the mailbox knows of nothing newer.
import { decideCall } from '../../domain/call/decide-call.js'
import { sideOf } from '../../domain/call/party.js'
import { countWaitingOf } from '../../domain/call/signal.js'
import { type CallState, otherSide } from '../../domain/call/state.js'
import { endpoint } from '../../domain/endpoint.js'
import { checkCandidates, parseDescription } from '../../domain/negotiation/sdp.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type { CandidatesRequest, CandidatesResponse, OfferRequest } from '../../schemas/signal.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive } from '../device/keepalive.js'
import { type Outcome, transact } from './update-call.js'

export interface Described {
  readonly revision: number
  readonly delivery: Delivery
}

/**
 * Sends an offer or answer to the peer's device, followed by the candidates that waited for it.
 * @throws AppError invalid_sdp, offer_collision, stale_revision, no_offer_pending, wrong_state, …
 */
export async function sendDescription(
  context: Context,
  actor: Actor,
  callId: string,
  signal: OfferRequest & { readonly type: 'offer' | 'answer' }
): Promise<Described> {
  const description = parseDescription(signal.sdp)
  const command = { type: signal.type, actor: endpoint(actor), description, revision: signal.revision }
  const decide = (call: CallState | null, now: number) => decideCall(call, command, now)
  const outcome = await transact(context, callId, decide, keepaliveIfDue(context, actor))
  recordKeepalive(context, actor)
  return { revision: outcome.state.negotiation.revision, delivery: deliveryToPeer(outcome, actor) }
}

/** @throws AppError invalid_candidate, stale_candidate, too_many_waiting_candidates, wrong_state, … and then none of the batch was taken */
export async function sendCandidates(
  context: Context,
  actor: Actor,
  callId: string,
  batch: CandidatesRequest
): Promise<CandidatesResponse> {
  checkCandidates(batch.candidates)
  const command = { type: 'candidates' as const, actor: endpoint(actor), batch }
  const outcome = await transact(context, callId, (call, now) => decideCall(call, command, now))
  recordKeepalive(context, actor)
  const { before, state } = outcome
  // A candidate that waits changes the call.
  const isKept = before !== null && before !== state
  const waiting = isKept ? countWaitingOf(before, sideOf(before, actor.user), batch.candidates) : 0
  return { accepted: batch.candidates.length, waiting, delivery: deliveryToPeer(outcome, actor) }
}

function deliveryToPeer({ state, deliveries }: Outcome, actor: Actor): Delivery {
  const peer = otherSide(sideOf(state, actor.user)) === 'caller' ? state.caller.user : state.callee?.user
  return deliveries.get(peer ?? '') ?? { online: 0, queued: 0 }
}
