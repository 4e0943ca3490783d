// Delivers every chat message to the chat service, at least once and in the order of its room. The room log is the queue, so the commit
// that writes a message also queues it. The state beside it (domain/chat/service-queue.ts) says how far the log was delivered. A message is
// sent only after the reply to the one before it, so the service first receives the messages in order, even if several nodes deliver at
// once.
import { deliverMessage } from '../../adapters/chat-service.js'
import { parseLoggedMessage, viewMessage } from '../../domain/chat/messages.js'
import {
  advance,
  announceMessage,
  type ChatPosition,
  finishDelivery,
  ifDelivering,
  NEW_QUEUE,
  type QueueState,
  recordFailure,
  releaseQueue,
  startDelivery
} from '../../domain/chat/service-queue.js'
import { PART } from '../../domain/room/state.js'
import type { LogEntry } from '../../store/rooms.js'
import type { Context } from '../context.js'
import { absenceCountsFrom } from '../device/liveness.js'
import { readRoom } from '../room/parts.js'
import { createUpdater } from '../update-aggregate.js'
import { addDeadLetter, type UndeliveredMessage } from './dead-letters.js'

const PAGE_SIZE = 64

const queue = createUpdater<QueueState>({
  kind: 'chat',
  cacheIn: context => context.chats,
  deadlineOf: ({ checkAt }) => checkAt,
  isOver: ({ checkAt }) => checkAt === null
})

export const readQueue = queue.read

/**
 * Called after a message was written. `excess` are the log entries that are too many with it: those that were not delivered become dead
 * letters, and then all are trimmed from the log. If this node dies in between, they are still in the log: they may be delivered, and the
 * next message returns them as excess again.
 */
export function queueMessage(context: Context, roomId: string, excess: readonly LogEntry[]): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`queue chat message ${roomId} ${context.ids.unique()}`, async () => {
    const { lastDone } = await updateQueue(context, roomId, announceMessage)
    for (const logEntry of excess.filter(({ version }) => version > (lastDone?.version ?? 0))) {
      await addDeadLetter(context, { roomId, logEntry, reason: 'evicted' })
    }
    const last = excess.at(-1)
    if (last) await context.store.rooms.trimLog(roomId, last)
    startChatDelivery(context, roomId)
  })
}

/**
 * Called when a room is checked and when it ends. The log is ahead of the queue if a node died after the commit of a message: then the
 * queue is announced to again and delivered.
 */
export function resumeChatDelivery(context: Context, roomId: string): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`resume chat delivery ${roomId}`, async () => {
    const [newest] = await context.store.rooms.log(roomId, { limit: 1 })
    if (newest === undefined) return
    const { lastDone } = (await queue.read(context, roomId)) ?? NEW_QUEUE
    if (lastDone?.id === newest.id && lastDone.version === newest.version) return
    await updateQueue(context, roomId, announceMessage)
    startChatDelivery(context, roomId)
  })
}

/** Starts the delivery in a background task, so that a slow chat service does not delay other deadlines. */
export function startChatDelivery(context: Context, roomId: string): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`deliver chat ${roomId}`, closing => deliverQueue({ context, roomId, closing }))
}

/** The delivery of one room by this node. */
interface Delivery {
  readonly context: Context
  readonly roomId: string
  readonly closing: AbortSignal
}

async function deliverQueue(delivery: Delivery): Promise<void> {
  const { context, roomId, closing } = delivery
  const { node } = context
  let hasStarted = false
  let state = await updateQueue(context, roomId, (before, now) => {
    const after = startDelivery(before, { node, leaseMs: deliveryLeaseMs(context) }, now)
    hasStarted = after !== before
    return after
  })
  while (hasStarted && state.deliveringNode === node) {
    state = closing.aborted ? await updateOwnQueue(delivery, releaseQueue) : await deliverPage(delivery, state)
  }
}

/** Delivers the next page of the log, or finishes the delivery if there is none. Resolves to the new state. */
async function deliverPage(delivery: Delivery, state: QueueState): Promise<QueueState> {
  const { context, roomId, closing } = delivery
  const { clock, config, node } = context
  const [logEntries, { settings }] = await Promise.all([
    entriesAfter(context, roomId, state.lastDone),
    readRoom(context, roomId, [PART.settings])
  ])
  const isOver = settings === null || settings.closed !== null
  const [oldest] = logEntries
  context.chatBacklog.record(roomId, oldest ? parseLoggedMessage(oldest).sentAt : null, clock.now())
  if (oldest === undefined) {
    // The log of a room that is over expires after RETENTION_MS: four checks in that time find the room over while its log still exists.
    const checkInMs = isOver ? null : Math.floor(config.retentionMs / 4)
    return updateOwnQueue(delivery, (before, now) =>
      finishDelivery(before, state.announcements, checkInMs === null ? null : now + checkInMs)
    )
  }
  const giveUpAt = isOver ? (state.giveUpAt ?? clock.now() + Math.floor(config.retentionMs / 2)) : null
  let after = state
  for (const logEntry of logEntries) {
    if (closing.aborted || after.deliveringNode !== node) return after
    after = await deliverEntry(delivery, logEntry, giveUpAt)
  }
  return after
}

async function deliverEntry(delivery: Delivery, logEntry: LogEntry, giveUpAt: number | null): Promise<QueueState> {
  const { context, roomId, closing } = delivery
  const { clock, config } = context
  // Not before the grace time after an outage of the store, so that each message is tried at least once.
  const isLate = giveUpAt !== null && clock.now() >= Math.max(giveUpAt, absenceCountsFrom(context))
  const outcome = isLate ? ('expired' as const) : await send(delivery, logEntry)
  if (outcome === 'failed') {
    const options = { backoffMaxMs: config.chatServiceRetryMaxMs, giveUpAt }
    return updateOwnQueue(
      delivery,
      closing.aborted ? releaseQueue : (before, now) => recordFailure(before, options, now)
    )
  }
  if (outcome !== 'delivered') await addDeadLetter(context, { roomId, logEntry, ...deadLetterReason(outcome) })
  const position: ChatPosition = { version: logEntry.version, id: logEntry.id }
  return updateOwnQueue(delivery, (before, now) => advance(before, position, now + deliveryLeaseMs(context)))
}

const deadLetterReason = (outcome: 'expired' | number): Pick<UndeliveredMessage, 'reason' | 'status'> =>
  outcome === 'expired' ? { reason: 'expired' } : { reason: 'refused', status: outcome }

/** Resolves to the HTTP status if the service refuses the message permanently. */
async function send(
  { context, roomId, closing }: Delivery,
  logEntry: LogEntry
): Promise<'delivered' | 'failed' | number> {
  const { config, metrics, log } = context
  const place = { roomId, messageId: logEntry.id, version: logEntry.version }
  try {
    const refusal = await deliverMessage(config, viewMessage(place, parseLoggedMessage(logEntry)), closing)
    metrics.chatDeliveries.inc({ outcome: refusal === null ? 'delivered' : 'refused' })
    return refusal ?? 'delivered'
  } catch (error) {
    if (closing.aborted) return 'failed'
    metrics.chatDeliveries.inc({ outcome: 'failed' })
    log.warn({ err: error, ...place }, 'chat message not delivered; it is sent again after a back-off')
    return 'failed'
  }
}

/** The log entries after `lastDone`. If the log has begun anew since that message, all entries. */
async function entriesAfter(
  { store }: Context,
  roomId: string,
  lastDone: ChatPosition | null
): Promise<readonly LogEntry[]> {
  if (lastDone === null) return store.rooms.log(roomId, { after: 0, limit: PAGE_SIZE })
  const logEntries = await store.rooms.log(roomId, { after: lastDone.version - 1, limit: PAGE_SIZE })
  const [first] = logEntries
  if (first?.version === lastDone.version && first.id === lastDone.id) return logEntries.slice(1)
  // The log is trimmed from its oldest entry. So if the entry of `lastDone` is gone and an earlier one exists, the log has begun anew.
  const earlier = await store.rooms.log(roomId, { before: lastDone.version + 1, limit: 1 })
  return earlier.length > 0 ? store.rooms.log(roomId, { after: 0, limit: PAGE_SIZE }) : logEntries
}

/** After this time without progress another node may deliver: one request has timed out, and 5 s are left to record the outcome. */
const deliveryLeaseMs = ({ config }: Context) => config.chatServiceTimeoutMs + 5000

type QueueRule = (state: QueueState, now: number) => QueueState

async function updateQueue(context: Context, roomId: string, rule: QueueRule): Promise<QueueState> {
  const { state } = await queue.update(context, { id: roomId }, (before, now) => ({
    state: rule(before ?? NEW_QUEUE, now),
    events: []
  }))
  return state
}

const updateOwnQueue = ({ context, roomId }: Delivery, rule: QueueRule): Promise<QueueState> =>
  updateQueue(context, roomId, (before, now) => ifDelivering(before, context.node, state => rule(state, now)))
