// Dead letters: messages that are not sent to the chat service any more, kept for operators. A request that was in flight may still deliver
// one. See docs/guides/operations.md.
import { parseLoggedMessage, viewMessage } from '../../domain/chat/messages.js'
import { joinIds } from '../../id-text.js'
import type { LogEntry } from '../../store/rooms.js'
import type { Context } from '../context.js'

export interface UndeliveredMessage {
  readonly roomId: string
  readonly logEntry: LogEntry
  /**
   * `refused`: by the service. `evicted`: newer messages took its place in the history while the service was down. `expired`: its room
   * closed, and the service was down for too long after that.
   */
  readonly reason: 'refused' | 'evicted' | 'expired'
  /** The HTTP status of the refusal. */
  readonly status?: number
}

/** Adds a message to the list of dead letters, which is bounded. The log names the message and never has its content. */
export async function addDeadLetter(
  context: Context,
  { roomId, logEntry, reason, status = 0 }: UndeliveredMessage
): Promise<void> {
  const { store, clock, config, metrics, log } = context
  const place = { roomId, messageId: logEntry.id, version: logEntry.version }
  const message = viewMessage(place, parseLoggedMessage(logEntry))
  const letter = { reason, ...(status > 0 ? { status } : {}), at: new Date(clock.now()).toISOString(), message }
  // Names the message: a node may die after this and before the queue has moved on, and the next one adds the message again.
  const id = joinIds(roomId, logEntry.id, String(logEntry.version))
  const isNew = await store.deadLetters.add(
    { id, text: JSON.stringify(letter), now: clock.now() },
    config.chatDeadLettersMax
  )
  if (!isNew) return
  metrics.chatDeadLetters.inc({ reason })
  log.warn({ ...place, reason, status }, 'chat message not delivered to the chat service; added to the dead letters')
}
