// Every chat message to the chat service, at least once and in the order of its room. The room's log is the queue, so a message
// is queued by the commit that writes it; what is kept beside (domain/chat/service-queue.ts) only says how far the log was delivered.
// Each message is sent once the one before it was answered, so whoever delivers, and however many at once, the first arrivals
// are in order.
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
import { graceStart } from '../device/liveness.js'
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
 * A message was written, and `excess` is too many for it: what of that was not delivered yet never will be. It stays in the log until
 * it is a dead letter: if this node dies before, it may still be delivered, or the next message brings it up again.
 */
export function queueMessage(context: Context, roomId: string, excess: readonly LogEntry[]): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`queue ${roomId} ${context.ids.unique()}`, async () => {
    const { cursor } = await updateQueue(context, roomId, announceMessage)
    for (const logEntry of excess.filter(({ version }) => version > (cursor?.version ?? 0))) {
      await addDeadLetter(context, { roomId, logEntry, reason: 'evicted' })
    }
    const last = excess.at(-1)
    if (last) await context.store.rooms.trimLog(roomId, last)
    startChatDelivery(context, roomId)
  })
}

/** The room was looked at, or is over: if its log is ahead of the queue, somebody died in between. */
export function resumeChatDelivery(context: Context, roomId: string): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`catch up ${roomId}`, async () => {
    const [newest] = await context.store.rooms.log(roomId, { limit: 1 })
    if (newest === undefined) return
    const { cursor } = (await queue.read(context, roomId)) ?? NEW_QUEUE
    if (cursor?.id === newest.id && cursor.version === newest.version) return
    await updateQueue(context, roomId, announceMessage)
    startChatDelivery(context, roomId)
  })
}

/** The time has come to look. Nobody waits for it: a service that hangs must not hold up a deadline of somebody else. */
export function startChatDelivery(context: Context, roomId: string): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`deliver ${roomId}`, closing => deliverQueue({ context, roomId, closing }))
}

/** One node at the work of one room. */
interface Delivery {
  readonly context: Context
  readonly roomId: string
  readonly closing: AbortSignal
}

async function deliverQueue(work: Delivery): Promise<void> {
  const { context, roomId, closing } = work
  const { node } = context
  let isMine = false
  let state = await updateQueue(context, roomId, (before, now) => {
    const after = startDelivery(before, { node, holdMs: deliveryLeaseMs(context) }, now)
    isMine = after !== before
    return after
  })
  while (isMine && state.deliveringNode === node) {
    state = closing.aborted ? await updateOwnQueue(work, releaseQueue) : await deliverPage(work, state)
  }
}

/** Delivers what is next, or finds nothing more and rests. Resolves to where things stand. */
async function deliverPage(work: Delivery, state: QueueState): Promise<QueueState> {
  const { context, roomId, closing } = work
  const { clock, config, node } = context
  const [logEntries, { settings }] = await Promise.all([
    entriesAfter(context, roomId, state.cursor),
    readRoom(context, roomId, [PART.settings])
  ])
  const isOver = settings === null || settings.closed !== null
  const [oldest] = logEntries
  context.chatBacklog.record(roomId, oldest ? parseLoggedMessage(oldest).sentAt : null, clock.now())
  if (oldest === undefined) {
    // Often enough that a room which closes is seen to be over long before its log goes.
    const againMs = isOver ? null : Math.floor(config.retentionMs / 4)
    return updateOwnQueue(work, (before, now) =>
      finishDelivery(before, state.announcements, againMs === null ? null : now + againMs)
    )
  }
  const giveUpAt = isOver ? (state.giveUpAt ?? clock.now() + Math.floor(config.retentionMs / 2)) : null
  let after = state
  for (const logEntry of logEntries) {
    if (closing.aborted || after.deliveringNode !== node) return after
    after = await deliverEntry(work, logEntry, giveUpAt)
  }
  return after
}

async function deliverEntry(work: Delivery, logEntry: LogEntry, giveUpAt: number | null): Promise<QueueState> {
  const { context, roomId, closing } = work
  const { clock, config } = context
  // After an outage of the store each message is tried before it is given up.
  const isLate = giveUpAt !== null && clock.now() >= Math.max(giveUpAt, graceStart(context))
  const outcome = isLate ? ('expired' as const) : await send(work, logEntry)
  if (outcome === 'failed') {
    const options = { pauseMaxMs: config.chatServiceRetryMaxMs, giveUpAt }
    return updateOwnQueue(work, closing.aborted ? releaseQueue : (before, now) => recordFailure(before, options, now))
  }
  if (outcome !== 'delivered') await addDeadLetter(context, { roomId, logEntry, ...deadLetterReason(outcome) })
  const place: ChatPosition = { version: logEntry.version, id: logEntry.id }
  return updateOwnQueue(work, (before, now) => advance(before, place, now + deliveryLeaseMs(context)))
}

const deadLetterReason = (outcome: 'expired' | number): Pick<UndeliveredMessage, 'reason' | 'status'> =>
  outcome === 'expired' ? { reason: 'expired' } : { reason: 'refused', status: outcome }

/** Resolves to the status that the service refuses the message with, if it does. */
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
    log.warn({ err: error, ...place }, 'the chat service did not take a message')
    return 'failed'
  }
}

/** What follows the cursor in the log: all of it, if the log is not the one in which the cursor was made. */
async function entriesAfter(
  { store }: Context,
  roomId: string,
  cursor: ChatPosition | null
): Promise<readonly LogEntry[]> {
  if (cursor === null) return store.rooms.log(roomId, { after: 0, limit: PAGE_SIZE })
  const logEntries = await store.rooms.log(roomId, { after: cursor.version - 1, limit: PAGE_SIZE })
  const [first] = logEntries
  if (first?.version === cursor.version && first.id === cursor.id) return logEntries.slice(1)
  // Lines go from the oldest on: if the cursor's has gone and an earlier one is there, the log began anew.
  const earlier = await store.rooms.log(roomId, { before: cursor.version + 1, limit: 1 })
  return earlier.length > 0 ? store.rooms.log(roomId, { after: 0, limit: PAGE_SIZE }) : logEntries
}

/** The work is somebody else's again when one request has surely ended, and what it takes to say so. */
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
