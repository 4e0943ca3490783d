// Messages that the chat service will never get, for operators to read: docs/guides/services.md.
import { parseLoggedMessage, viewMessage } from '../../domain/chat/messages.js'
import type { LogEntry } from '../../store/rooms.js'
import type { Context } from '../context.js'

export interface UndeliveredMessage {
  readonly roomId: string
  readonly logEntry: LogEntry
  /**
   * `refused` by the service, with this status; `evicted`: newer messages took its place in the history while the service was down;
   * `expired`: its room closed, and the service was down for too long after that.
   */
  readonly reason: 'refused' | 'evicted' | 'expired'
  readonly status?: number
}

/** The list is bounded; the log says of each letter which one it is, but never what is in it. */
export async function addDeadLetter(
  context: Context,
  { roomId, logEntry, reason, status = 0 }: UndeliveredMessage
): Promise<void> {
  const { store, clock, config, metrics, log } = context
  const place = { roomId, messageId: logEntry.id, version: logEntry.version }
  const message = viewMessage(place, parseLoggedMessage(logEntry))
  const letter = { reason, ...(status > 0 ? { status } : {}), at: new Date(clock.now()).toISOString(), message }
  // Whoever gives it up may die before that is noted, and somebody else gives it up again.
  const id = `${roomId} ${logEntry.id} ${logEntry.version}`
  const isNew = await store.deadLetters.add(
    { id, text: JSON.stringify(letter), now: clock.now() },
    config.chatDeadLettersMax
  )
  if (!isNew) return
  metrics.chatDeadLetters.inc({ reason })
  log.warn({ ...place, reason, status }, 'a message for the chat service was given up')
}
