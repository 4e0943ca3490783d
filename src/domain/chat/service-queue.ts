// What is known of a room's way to the chat service. The room's log is the queue; this says how far it was delivered, who is at
// it, and when to look again.
//
//           nudge                begin                 rest
//   resting ─────▶ due (checkAt) ───────▶ at work ─────────────▶ resting, or over with the room
//                    ▲                     │ failed: after a pause that doubles
//                    └─────────────────────┘ releaseQueue: at once

/** Names a message, not a position: a log that grew anew under old numbers has another id there. */
export interface ChatPosition {
  readonly version: number
  readonly id: string
}

export interface QueueState {
  readonly version: number
  /** The last message that was delivered or given up. */
  readonly cursor: ChatPosition | null
  /** How often there was news: who found nothing more to deliver rests only if none came meanwhile. */
  readonly announcements: number
  /** In a row, of the message after the cursor. */
  readonly failures: number
  /** The node at work; another one may take over at `checkAt`. */
  readonly deliveringNode: string | null
  /** The room is over: what is not delivered by then is given up. */
  readonly giveUpAt: number | null
  /** Null: over. */
  readonly checkAt: number | null
}

export const NEW_QUEUE: QueueState = {
  version: 0,
  cursor: null,
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

/** There is something to deliver. A service that is in trouble is not asked sooner for it. */
export function announceMessage(state: QueueState, now: number): QueueState {
  const waits = state.checkAt !== null && (state.failures > 0 || state.deliveringNode !== null)
  return nextVersion(state, { announcements: state.announcements + 1, checkAt: waits ? state.checkAt : now })
}

/** Takes the work, for so long. The state that was given: it is not due, or another node has it. */
export function startDelivery(
  state: QueueState,
  { node, holdMs }: { node: string; holdMs: number },
  now: number
): QueueState {
  if (state.checkAt === null || now < state.checkAt) return state
  return nextVersion(state, { deliveringNode: node, checkAt: now + holdMs })
}

/** What follows is for the node at work: one that has lost the work changes nothing. */
export const ifDelivering = (state: QueueState, node: string, rule: (state: QueueState) => QueueState): QueueState =>
  state.deliveringNode === node ? rule(state) : state

/** The message was delivered, or is given up; the work goes on. */
export const advance = (state: QueueState, cursor: ChatPosition, checkAt: number): QueueState =>
  nextVersion(state, { cursor, failures: 0, checkAt })

export function recordFailure(
  state: QueueState,
  { pauseMaxMs, giveUpAt }: { pauseMaxMs: number; giveUpAt: number | null },
  now: number
): QueueState {
  const again = now + backoffMs(state.failures, pauseMaxMs)
  const checkAt = giveUpAt === null || giveUpAt <= now ? again : Math.min(again, giveUpAt)
  return nextVersion(state, { deliveringNode: null, failures: state.failures + 1, giveUpAt, checkAt })
}

/** Nothing is left to deliver. The state that was given: there was news meanwhile, so look again. */
export function finishDelivery(state: QueueState, announcements: number, checkAt: number | null): QueueState {
  if (state.announcements !== announcements) return state
  return nextVersion(state, { deliveringNode: null, failures: 0, giveUpAt: null, checkAt })
}

/** The node is closing: any other one may go on at once. */
export const releaseQueue = (state: QueueState, now: number): QueueState =>
  nextVersion(state, { deliveringNode: null, checkAt: now })

/** After so many failures before: half a second, doubling. */
export const backoffMs = (failures: number, maxMs: number): number =>
  Math.min(maxMs, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 30))
