// Sending descriptions and candidates in a call. A candidate of the current generation costs one round trip to the store: it is decided on
// the cached call and appended to the peer's mailbox, which refuses it after a newer commit of the call.
import { decideCall } from '../../domain/call/decide-call.js'
import { sideOf } from '../../domain/call/party.js'
import { classifyCandidatesOf } from '../../domain/call/signal.js'
import { otherSide } from '../../domain/call/state.js'
import { endpoint } from '../../domain/endpoint.js'
import { readCandidates } from '../../domain/negotiation/candidate.js'
import { parseDescription } from '../../domain/negotiation/sdp.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type { CandidatesReply, CandidatesRequest, OfferRequest } from '../../schemas/signal.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import { type CallUpdate, updateCall } from './update-call.js'

interface DescriptionRequest extends Omit<OfferRequest, 'type'> {
  readonly callId: string
  readonly type: 'offer' | 'answer'
}

export interface SentDescription {
  readonly revision: number
  readonly delivery: Delivery
}

/**
 * Sends an offer or answer to the peer's device, and after it the candidates that waited for it.
 * @throws AppError invalid_sdp, offer_collision, stale_revision, no_offer_pending, revision_required, wrong_state, …
 */
export async function sendDescription(
  context: Context,
  actor: Actor,
  { callId, type, sdp, revision }: DescriptionRequest
): Promise<SentDescription> {
  const command = {
    type,
    actor: endpoint(actor),
    description: parseDescription(sdp, context.config.maxSdpBytes),
    revision
  }
  const target = { id: callId, acting: keepaliveIfDue(context, actor) }
  const result = await updateCall(context, target, (call, now) => decideCall(call, command, now))
  recordKeepalive(context, actor)
  return { revision: result.state.negotiation.revision, delivery: deliveryToPeer(result, actor) }
}

/**
 * Sends the candidates that can be sent; the reply says which wait and which were refused.
 * @throws AppError invalid_candidate, too_large, stale_candidate, too_many_waiting_candidates if all are refused; wrong_state, …
 */
export async function sendCandidates(
  context: Context,
  actor: Actor,
  { callId, ...request }: CandidatesRequest & { readonly callId: string }
): Promise<CandidatesReply> {
  const batch = readCandidates(request)
  const command = { type: 'candidates' as const, actor: endpoint(actor), batch }
  const result = await updateCall(context, { id: callId }, (call, now) => decideCall(call, command, now))
  recordKeepalive(context, actor)
  const decidedOn = result.before ?? result.state
  const verdict = classifyCandidatesOf(decidedOn, sideOf(decidedOn, actor.user), batch)
  return { ...verdict, delivery: deliveryToPeer(result, actor) }
}

export function deliveryToPeer({ state, deliveries }: CallUpdate, actor: Actor): Delivery {
  const peer = otherSide(sideOf(state, actor.user)) === 'caller' ? state.caller.user : state.callee?.user
  return deliveries.get(peer ?? '') ?? NO_DELIVERY
}
