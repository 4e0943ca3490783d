// Sending descriptions and candidates in a call. A candidate of the current generation costs one round trip to the store: it is decided on
// the cached call and appended to the peer's mailbox, which refuses it after a newer commit of the call.
import { isInvited } from '../../domain/call/called.js'
import type { CallCommand } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { sideOf } from '../../domain/call/party.js'
import { endpoint } from '../../domain/endpoint.js'
import { NO_OUTCOMES, readCandidates, readOptionalCandidates } from '../../domain/negotiation/candidate.js'
import { parseDescription } from '../../domain/negotiation/sdp.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type {
  CandidateOutcomes,
  CandidatesReply,
  CandidatesRequest,
  DescriptionReply,
  OfferRequest
} from '../../schemas/signal.js'
import type { UpdateTarget } from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive } from '../device/keepalive.js'
import { addDeliveries, NO_DELIVERY } from '../mail.js'
import { seeCandidates } from './seen.js'
import { type CallUpdate, updateCall } from './update-call.js'

interface DescriptionRequest extends Omit<OfferRequest, 'type'> {
  readonly callId: string
  readonly type: 'offer' | 'answer'
}

/**
 * Sends an offer or answer to the peer's device, and after it the candidates that waited for it or came with it.
 * @throws AppError invalid_sdp, offer_collision, stale_revision, no_offer_pending, revision_required, wrong_state, …
 */
export async function sendDescription(
  context: Context,
  actor: Actor,
  { callId, type, sdp, revision, ...candidates }: DescriptionRequest
): Promise<DescriptionReply> {
  const description = parseDescription(sdp, context.config.maxSdpBytes)
  const batch = readOptionalCandidates(candidates)
  const command = { type, actor: endpoint(actor), description, revision, batch }
  const { result, outcomes } = await signal(context, { id: callId, acting: keepaliveIfDue(context, actor) }, command)
  recordKeepalive(context, actor)
  const { revision: sent } = result.state.negotiation
  return { revision: sent, delivery: deliveryToPeer(result, actor), ...(outcomes && { outcomes }) }
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
  const command = { type: 'candidates' as const, actor: endpoint(actor), batch: readCandidates(request) }
  const { result, outcomes = NO_OUTCOMES } = await signal(context, { id: callId }, command)
  recordKeepalive(context, actor)
  seeCandidates(context, result.state, command)
  return { ...outcomes, delivery: deliveryToPeer(result, actor) }
}

async function signal(context: Context, target: UpdateTarget, command: CallCommand) {
  let outcomes: CandidateOutcomes | undefined
  const result = await updateCall(context, target, (call, now) => {
    const decision = decideCall(call, command, now)
    outcomes = decision.outcomes
    return decision
  })
  return { result, outcomes }
}

export function deliveryToPeer({ state, deliveries }: CallUpdate, actor: Actor): Delivery {
  const isCaller = sideOf(state, actor.user) === 'caller'
  const peers = isCaller ? state.called.filter(isInvited).map(({ user }) => user) : [state.caller.user]
  return peers.map(peer => deliveries.get(peer) ?? NO_DELIVERY).reduce(addDeliveries, NO_DELIVERY)
}
