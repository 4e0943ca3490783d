// Application messages of a call: recognized when they are repeated, and charged by their recipients and KiB.

import { decideCall } from '../../domain/call/decide-call.js'
import type { CallDecision } from '../../domain/call/decision.js'
import { findSent } from '../../domain/call/messages.js'
import { sideOf } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import { endpoint } from '../../domain/endpoint.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import type { SendCallMessageReply, SendCallMessageRequest } from '../../schemas/call-message.js'
import { CONTENT_MAX_BYTES } from '../../schemas/chat.js'
import type { Actor } from '../../schemas/claims.js'
import { deliveryCost } from '../budgets.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive } from '../device/keepalive.js'
import { deliveryToPeer } from './send-signals.js'
import { updateCall } from './update-call.js'

interface MessageRequest extends SendCallMessageRequest {
  readonly callId: string
  readonly idempotencyKey?: string | undefined
}

/**
 * Sends the message to the other side. A repeat by the same user, with the same id or Idempotency-Key, is not sent again.
 * @throws AppError too_large, call_not_found, call_ended, other_device, rate_limited
 */
export async function sendCallMessage(
  context: Context,
  actor: Actor,
  { callId, content, idempotencyKey, ...request }: MessageRequest
): Promise<{ readonly message: SendCallMessageReply; readonly isNew: boolean }> {
  refuseDerivedId('messageId', request.messageId)
  const newId = () => (idempotencyKey ? idFromKey(actor.user, idempotencyKey, callId) : context.ids.unique())
  const { messageId = newId() } = request
  const bytes = Buffer.byteLength(content)
  if (bytes > CONTENT_MAX_BYTES) {
    throw new AppError('too_large', { detail: `content is larger than ${CONTENT_MAX_BYTES} bytes as UTF-8` })
  }
  const command = { type: 'message' as const, actor: endpoint(actor), messageId, content }
  let isCharged = false
  const decide = async (call: CallState | null, now: number) => {
    const decision = decideCall(call, command, now)
    if (decision.state === call || isCharged) return decision
    await chargeRecipients(context, actor, { events: decision.events, bytes })
    isCharged = true
    return decision
  }
  const target = { id: callId, acting: keepaliveIfDue(context, actor) }
  const result = await updateCall(context, target, decide)
  recordKeepalive(context, actor)
  const { state, before } = result
  const sent = findSent(state, sideOf(state, actor.user), messageId)
  if (sent === null) throw new TypeError('the commit has the message')
  const [, version, afterMs] = sent
  const sentAt = new Date(state.createdAt + afterMs).toISOString()
  return { message: { messageId, version, sentAt, delivery: deliveryToPeer(result, actor) }, isNew: before !== state }
}

/** A message of the caller goes to all devices of the callee while the call rings. */
async function chargeRecipients(
  { store, clock, budgets }: Context,
  { user }: Actor,
  { events, bytes }: { readonly events: CallDecision['events']; readonly bytes: number }
): Promise<void> {
  const counts = events.map(async ({ to }) =>
    to.device === undefined ? (await store.mailboxes.devices(to.user, clock.now())).length : 1
  )
  const recipients = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  await budgets.spend(user, 'deliveries', deliveryCost(Math.max(1, recipients), bytes))
}
