// The webhook `push`, and what of it reaches a device.
import type { Notification, Subscription } from './provider.js'

export interface PushMessage {
  readonly kind: 'incoming' | 'cancelled'
  readonly callId: string
  /** The callee. */
  readonly user: string
  readonly from: { readonly user: string; readonly device: string }
  readonly media: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly expiresInMs: number
  readonly devices: readonly { readonly device: string; readonly subscription: Subscription }[]
}

/** What devices may learn besides the call id and the time that is left. */
export const PAYLOAD_PARTS = ['caller', 'media', 'metadata'] as const
export type PayloadPart = (typeof PAYLOAD_PARTS)[number]

/** Web Push and FCM carry 4,096 bytes, of which encryption and the other members take a part. */
const METADATA_MAX_BYTES = 2048

/** Null: another type of event. */
export function readPush(text: string): PushMessage | null {
  const { type, data } = JSON.parse(text) as { readonly type: string; readonly data: PushMessage }
  return type === 'push' ? data : null
}

/** Nothing but the parts leaves the operator's systems: the push services are not theirs. Metadata that is too large is left out. */
export function toNotification(
  { kind, callId, expiresInMs, from, media, metadata }: PushMessage,
  parts: readonly PayloadPart[]
): Notification {
  const hasMetadata = parts.includes('metadata') && Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_MAX_BYTES
  const data = {
    ...{ kind, callId, expiresInMs },
    ...(parts.includes('caller') ? { caller: from.user } : {}),
    ...(parts.includes('media') ? { media } : {}),
    ...(hasMetadata ? { metadata } : {})
  }
  return { kind, callId, data, expiresAt: Date.now() + expiresInMs }
}
