// The optional service that is given every chat message. Its contract is openapi/chat-service.yaml: 2xx, it has the message (also
// when it had it before); a 4xx about the message, it never will; anything else, or nothing in time, it is to be asked again.
import type { Config } from '../config.js'
import type { ChatMessage } from '../schemas/chat.js'
import { ask } from './outgoing.js'

/** These speak of the way to the service, or of its state, and not of the message. */
const NOT_THE_MESSAGE: readonly number[] = [401, 404, 405, 407, 408, 425, 429]

/** Resolves to null when the service has it, or to the status it refuses it with. Throws when it has to be asked again. */
export async function deliverMessage(
  { chatServiceUrl, chatServiceTimeoutMs }: Pick<Config, 'chatServiceUrl' | 'chatServiceTimeoutMs'>,
  message: ChatMessage,
  closing: AbortSignal
): Promise<number | null> {
  const { status } = await ask(`${chatServiceUrl?.replace(/\/$/, '')}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': message.messageId },
    body: JSON.stringify(message),
    timeoutMs: chatServiceTimeoutMs,
    maxBytes: 0,
    signal: closing
  })
  if (status >= 200 && status < 300) return null
  if (status >= 400 && status < 500 && !NOT_THE_MESSAGE.includes(status)) return status
  throw new Error(`answered with ${status}`)
}
