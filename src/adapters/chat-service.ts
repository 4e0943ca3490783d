// The optional chat service, which receives every chat message (openapi/chat-service.yaml). 2xx: it has the message, perhaps from an earlier
// request. A 4xx about the message: it refuses it for good. Any other reply, or none in time: the request is to be repeated.
import type { Config } from '../config.js'
import { encodeId } from '../id-text.js'
import type { ChatMessage } from '../schemas/chat.js'
import { sendRequest } from './outgoing.js'

/** A 4xx about the request or the state of the service, and not about the message. */
const NOT_ABOUT_MESSAGE: readonly number[] = [401, 404, 405, 407, 408, 425, 429]

/** Null: the service has the message. Else the status with which it refused it. @throws Error if the request is to be repeated */
export async function deliverMessage(
  { chatServiceUrl, chatServiceTimeoutMs }: Pick<Config, 'chatServiceUrl' | 'chatServiceTimeoutMs'>,
  message: ChatMessage,
  closing: AbortSignal
): Promise<number | null> {
  const { status } = await sendRequest(`${chatServiceUrl?.replace(/\/$/, '')}/messages`, {
    method: 'POST',
    // Encoded: a header carries no character beyond Latin-1.
    headers: { 'content-type': 'application/json', 'idempotency-key': encodeId(message.messageId) },
    body: JSON.stringify(message),
    timeoutMs: chatServiceTimeoutMs,
    maxBytes: 0,
    signal: closing
  })
  if (status >= 200 && status < 300) return null
  if (status >= 400 && status < 500 && !NOT_ABOUT_MESSAGE.includes(status)) return status
  throw new Error(`replied with ${status}`)
}
