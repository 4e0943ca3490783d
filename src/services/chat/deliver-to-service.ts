// Every chat message to the chat service, at least once and in the order of its room. The room's log is the queue, so a message
// is queued by the commit that writes it; what is kept beside (domain/chat/service-queue.ts) only says how far the log was delivered.
// Each message is sent once the one before it was answered, so whoever delivers, and however many at once, the first arrivals
// are in order.
import { deliverMessage } from '../../adapters/chat-service.js'
import { viewMessage, writtenIn } from '../../domain/chat/messages.js'
import {
  advance,
  asCourier,
  begin,
  failed,
  handBack,
  NEW_QUEUE,
  nudge,
  type Place,
  type QueueState,
  rest
} from '../../domain/chat/service-queue.js'
import { PART } from '../../domain/room/state.js'
import type { Logged } from '../../store/rooms.js'
import type { Context } from '../context.js'
import { graceStart } from '../device/liveness.js'
import { readRoom } from '../room/parts.js'
import { createUpdater } from '../update-aggregate.js'
import { type GivenUp, giveUp } from './dead-letters.js'

const PAGE = 64

const queue = createUpdater<QueueState>({
  kind: 'chat',
  cacheIn: context => context.chats,
  deadlineOf: ({ lookAt }) => lookAt,
  isOver: ({ lookAt }) => lookAt === null
})

export const readQueue = queue.read

/**
 * A message was written, and `excess` is too many for it: what of that was not delivered yet never will be. It stays in the log until
 * it is a dead letter: if this node dies before, it may still be delivered, or the next message brings it up again.
 */
export function queueMessage(context: Context, roomId: string, excess: readonly Logged[]): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`queue ${roomId} ${context.ids.unique()}`, async () => {
    const { cursor } = await change(context, roomId, nudge)
    for (const line of excess.filter(({ version }) => version > (cursor?.version ?? 0))) {
      await giveUp(context, { roomId, line, reason: 'evicted' })
    }
    const last = excess.at(-1)
    if (last) await context.store.rooms.trimLog(roomId, last)
    checkChat(context, roomId)
  })
}

/** The room was looked at, or is over: if its log is ahead of the queue, somebody died in between. */
export function catchUpChat(context: Context, roomId: string): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`catch up ${roomId}`, async () => {
    const [newest] = await context.store.rooms.log(roomId, { limit: 1 })
    if (newest === undefined) return
    const { cursor } = (await queue.read(context, roomId)) ?? NEW_QUEUE
    if (cursor?.id === newest.id && cursor.version === newest.version) return
    await change(context, roomId, nudge)
    checkChat(context, roomId)
  })
}

/** The time has come to look. Nobody waits for it: a service that hangs must not hold up a deadline of somebody else. */
export function checkChat(context: Context, roomId: string): void {
  if (context.config.chatServiceUrl === null) return
  context.background.run(`deliver ${roomId}`, closing => deliver({ context, roomId, closing }))
}

/** One node at the work of one room. */
interface Work {
  readonly context: Context
  readonly roomId: string
  readonly closing: AbortSignal
}

async function deliver(work: Work): Promise<void> {
  const { context, roomId, closing } = work
  const { node } = context
  let isMine = false
  let state = await change(context, roomId, (before, now) => {
    const after = begin(before, { node, holdMs: holdMs(context) }, now)
    isMine = after !== before
    return after
  })
  while (isMine && state.courier === node) {
    state = closing.aborted ? await changeOwn(work, handBack) : await deliverPage(work, state)
  }
}

/** Delivers what is next, or finds nothing more and rests. Resolves to where things stand. */
async function deliverPage(work: Work, state: QueueState): Promise<QueueState> {
  const { context, roomId, closing } = work
  const { clock, config, node } = context
  const [lines, { settings }] = await Promise.all([
    linesAfter(context, roomId, state.cursor),
    readRoom(context, roomId, [PART.settings])
  ])
  const isOver = settings === null || settings.closed !== null
  const [oldest] = lines
  context.chatBacklog.note(roomId, oldest ? writtenIn(oldest).sentAt : null, clock.now())
  if (oldest === undefined) {
    // Often enough that a room which closes is seen to be over long before its log goes.
    const againMs = isOver ? null : Math.floor(config.retentionMs / 4)
    return changeOwn(work, (before, now) => rest(before, state.nudges, againMs === null ? null : now + againMs))
  }
  const giveUpAt = isOver ? (state.giveUpAt ?? clock.now() + Math.floor(config.retentionMs / 2)) : null
  let after = state
  for (const line of lines) {
    if (closing.aborted || after.courier !== node) return after
    after = await deliverLine(work, line, giveUpAt)
  }
  return after
}

async function deliverLine(work: Work, line: Logged, giveUpAt: number | null): Promise<QueueState> {
  const { context, roomId, closing } = work
  const { clock, config } = context
  // After an outage of the store each message is tried before it is given up.
  const isLate = giveUpAt !== null && clock.now() >= Math.max(giveUpAt, graceStart(context))
  const outcome = isLate ? ('expired' as const) : await send(work, line)
  if (outcome === 'failed') {
    const options = { pauseMaxMs: config.chatServiceRetryMaxMs, giveUpAt }
    return changeOwn(work, closing.aborted ? handBack : (before, now) => failed(before, options, now))
  }
  if (outcome !== 'delivered') await giveUp(context, { roomId, line, ...named(outcome) })
  const place: Place = { version: line.version, id: line.id }
  return changeOwn(work, (before, now) => advance(before, place, now + holdMs(context)))
}

const named = (outcome: 'expired' | number): Pick<GivenUp, 'reason' | 'status'> =>
  outcome === 'expired' ? { reason: 'expired' } : { reason: 'refused', status: outcome }

/** Resolves to the status that the service refuses the message with, if it does. */
async function send({ context, roomId, closing }: Work, line: Logged): Promise<'delivered' | 'failed' | number> {
  const { config, metrics, log } = context
  const place = { roomId, messageId: line.id, version: line.version }
  try {
    const refusal = await deliverMessage(config, viewMessage(place, writtenIn(line)), closing)
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
async function linesAfter({ store }: Context, roomId: string, cursor: Place | null): Promise<readonly Logged[]> {
  if (cursor === null) return store.rooms.log(roomId, { after: 0, limit: PAGE })
  const lines = await store.rooms.log(roomId, { after: cursor.version - 1, limit: PAGE })
  const [first] = lines
  if (first?.version === cursor.version && first.id === cursor.id) return lines.slice(1)
  // Lines go from the oldest on: if the cursor's has gone and an earlier one is there, the log began anew.
  const earlier = await store.rooms.log(roomId, { before: cursor.version + 1, limit: 1 })
  return earlier.length > 0 ? store.rooms.log(roomId, { after: 0, limit: PAGE }) : lines
}

/** The work is somebody else's again when one request has surely ended, and what it takes to say so. */
const holdMs = ({ config }: Context) => config.chatServiceTimeoutMs + 5000

type QueueRule = (state: QueueState, now: number) => QueueState

async function change(context: Context, roomId: string, rule: QueueRule): Promise<QueueState> {
  const { state } = await queue.update(context, { id: roomId }, (before, now) => ({
    state: rule(before ?? NEW_QUEUE, now),
    events: []
  }))
  return state
}

const changeOwn = ({ context, roomId }: Work, rule: QueueRule): Promise<QueueState> =>
  change(context, roomId, (before, now) => asCourier(before, context.node, state => rule(state, now)))
