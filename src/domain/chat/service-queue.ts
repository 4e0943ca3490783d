// How far the log of a room was delivered to the chat service. The room log is the queue; this state says which node delivers it and when a
// node must look at it again.
//
//          announceMessage        startDelivery              finishDelivery
//     idle ───────────────▶ due ────────────────▶ delivering ──────────────▶ idle, or over with the room
//                            ▲                        │
//                            └────────────────────────┘ recordFailure: due after a back-off · releaseQueue: due now

/** Names a message, not only its place: if the log has begun anew, the entry at this version has another id. */
export interface ChatPosition {
  readonly version: number
  readonly id: string
}

export interface QueueState {
  readonly version: number
  /** The last message that was delivered or became a dead letter. */
  readonly lastDone: ChatPosition | null
  /** Counts announceMessage. A delivery that found no more messages finishes only if none was announced since it looked. */
  readonly announcements: number
  /** Failures in a row, of the message after `lastDone`. */
  readonly failures: number
  /** The node that delivers. Another node may take over at `checkAt`. */
  readonly deliveringNode: string | null
  /** Set when the room is over: messages that are not delivered by then become dead letters. */
  readonly giveUpAt: number | null
  /** Null: over. */
  readonly checkAt: number | null
}

export const NEW_QUEUE: QueueState = {
  version: 0,
  lastDone: null,
  announcements: 0,
  failures: 0,
  deliveringNode: null,
  giveUpAt: null,
  checkAt: null
}

const FIRST_BACKOFF_MS = 500

const nextVersion = (state: QueueState, change: Partial<QueueState>): QueueState => ({
  ...state,
  ...change,
  version: state.version + 1
})

/** The log has a new message. The queue is due now, unless a node delivers or the service is in its back-off. */
export function announceMessage(state: QueueState, now: number): QueueState {
  const mustWait = state.checkAt !== null && (state.failures > 0 || state.deliveringNode !== null)
  return nextVersion(state, { announcements: state.announcements + 1, checkAt: mustWait ? state.checkAt : now })
}

/** The node delivers for at most `leaseMs`. Returns the same state if the queue is not due, which includes that another node delivers. */
export function startDelivery(
  state: QueueState,
  { node, leaseMs }: { readonly node: string; readonly leaseMs: number },
  now: number
): QueueState {
  if (state.checkAt === null || now < state.checkAt) return state
  return nextVersion(state, { deliveringNode: node, checkAt: now + leaseMs })
}

/** Applies a rule of the delivering node. A node that no longer delivers changes nothing. */
export const ifDelivering = (state: QueueState, node: string, rule: (state: QueueState) => QueueState): QueueState =>
  state.deliveringNode === node ? rule(state) : state

/** The message `lastDone` was delivered or became a dead letter. The node goes on until `checkAt`. */
export const advance = (state: QueueState, lastDone: ChatPosition, checkAt: number): QueueState =>
  nextVersion(state, { lastDone, failures: 0, checkAt })

/** The message after `lastDone` was not delivered: any node tries again after a back-off, and at `giveUpAt` at the latest. */
export function recordFailure(
  state: QueueState,
  { backoffMaxMs, giveUpAt }: { readonly backoffMaxMs: number; readonly giveUpAt: number | null },
  now: number
): QueueState {
  const againAt = now + backoffMs(state.failures, backoffMaxMs)
  const checkAt = giveUpAt === null || giveUpAt <= now ? againAt : Math.min(againAt, giveUpAt)
  return nextVersion(state, { deliveringNode: null, failures: state.failures + 1, giveUpAt, checkAt })
}

/** No messages are left. Returns the same state if one was announced since `announcements` was read: then the node looks again. */
export function finishDelivery(state: QueueState, announcements: number, checkAt: number | null): QueueState {
  if (state.announcements !== announcements) return state
  return nextVersion(state, { deliveringNode: null, failures: 0, giveUpAt: null, checkAt })
}

/** The node closes: any other node may deliver at once. */
export const releaseQueue = (state: QueueState, now: number): QueueState =>
  nextVersion(state, { deliveringNode: null, checkAt: now })

/** After this many earlier failures: 500 ms, doubling with each failure up to `maxMs`. */
export const backoffMs = (failures: number, maxMs: number): number =>
  Math.min(maxMs, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 30))
