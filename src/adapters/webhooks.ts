// Webhooks to the operator's systems (docs/guides/webhooks.md), signed as Standard Webhooks says (standardwebhooks.com, version 1.0.0).
import { createHmac } from 'node:crypto'
import type { Config } from '../config.js'
import { type OutgoingReply, sendRequest } from './outgoing.js'

export interface WebhookMessage {
  readonly id: string
  /** JSON: the envelope of an event. */
  readonly body: string
  /** Of this attempt, ms. */
  readonly now: number
}

export interface WebhookRequest {
  readonly url: string
  readonly keys: readonly Buffer[]
  /** Aborts the request. */
  readonly signal: AbortSignal
}

type WebhookConfig = Pick<Config, 'webhookTimeoutMs' | 'webhookAllowPrivate'>

/** Of a reply. The rest is not read. */
const REPLY_MAX_BYTES = 64 * 1024

/** Resolves to any reply but a redirect. @throws Error if none arrives in time, or the address is private and that is not allowed */
export function sendWebhook(
  { webhookTimeoutMs, webhookAllowPrivate }: WebhookConfig,
  { url, keys, signal }: WebhookRequest,
  message: WebhookMessage
): Promise<OutgoingReply> {
  return sendRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...signatureHeaders(message, keys) },
    body: message.body,
    timeoutMs: webhookTimeoutMs,
    maxBytes: REPLY_MAX_BYTES,
    readsAllBodies: true,
    cutsBody: true,
    publicOnly: !webhookAllowPrivate,
    signal
  })
}

/** One signature for each key, separated by spaces: a receiver accepts the message if one of them is right. */
export function signatureHeaders({ id, body, now }: WebhookMessage, keys: readonly Buffer[]): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const sign = (key: Buffer) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': keys.map(sign).join(' ') }
}
