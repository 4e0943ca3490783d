// What is known of a room's way to the chat service. The room's log is the queue; this says how far it was delivered, who is at
// it, and when to look again.
//
//           nudge                begin                 rest
//   resting ─────▶ due (lookAt) ───────▶ at work ─────────────▶ resting, or over with the room
//                    ▲                     │ failed: after a pause that doubles
//                    └─────────────────────┘ handBack: at once

/** Names a message, not a position: a log that grew anew under old numbers has another id there. */
export interface Place {
  readonly version: number
  readonly id: string
}

export interface QueueState {
  readonly version: number
  /** The last message that was delivered or given up. */
  readonly cursor: Place | null
  /** How often there was news: who found nothing more to deliver rests only if none came meanwhile. */
  readonly nudges: number
  /** In a row, of the message after the cursor. */
  readonly failures: number
  /** The node at work; another one may take over at `lookAt`. */
  readonly courier: string | null
  /** The room is over: what is not delivered by then is given up. */
  readonly giveUpAt: number | null
  /** Null: over. */
  readonly lookAt: number | null
}

export const NEW_QUEUE: QueueState = {
  version: 0,
  cursor: null,
  nudges: 0,
  failures: 0,
  courier: null,
  giveUpAt: null,
  lookAt: null
}

const FIRST_PAUSE_MS = 500

const next = (state: QueueState, change: Partial<QueueState>): QueueState => ({
  ...state,
  ...change,
  version: state.version + 1
})

/** There is something to deliver. A service that is in trouble is not asked sooner for it. */
export function nudge(state: QueueState, now: number): QueueState {
  const waits = state.lookAt !== null && (state.failures > 0 || state.courier !== null)
  return next(state, { nudges: state.nudges + 1, lookAt: waits ? state.lookAt : now })
}

/** Takes the work, for so long. The state that was given: it is not due, or another node has it. */
export function begin(state: QueueState, { node, holdMs }: { node: string; holdMs: number }, now: number): QueueState {
  if (state.lookAt === null || now < state.lookAt) return state
  return next(state, { courier: node, lookAt: now + holdMs })
}

/** What follows is for the node at work: one that has lost the work changes nothing. */
export const asCourier = (state: QueueState, node: string, rule: (state: QueueState) => QueueState): QueueState =>
  state.courier === node ? rule(state) : state

/** The message was delivered, or is given up; the work goes on. */
export const advance = (state: QueueState, cursor: Place, lookAt: number): QueueState =>
  next(state, { cursor, failures: 0, lookAt })

export function failed(
  state: QueueState,
  { pauseMaxMs, giveUpAt }: { pauseMaxMs: number; giveUpAt: number | null },
  now: number
): QueueState {
  const again = now + pauseMs(state.failures, pauseMaxMs)
  const lookAt = giveUpAt === null || giveUpAt <= now ? again : Math.min(again, giveUpAt)
  return next(state, { courier: null, failures: state.failures + 1, giveUpAt, lookAt })
}

/** Nothing is left to deliver. The state that was given: there was news meanwhile, so look again. */
export function rest(state: QueueState, nudges: number, lookAt: number | null): QueueState {
  if (state.nudges !== nudges) return state
  return next(state, { courier: null, failures: 0, giveUpAt: null, lookAt })
}

/** The node is closing: any other one may go on at once. */
export const handBack = (state: QueueState, now: number): QueueState => next(state, { courier: null, lookAt: now })

/** After so many failures before: half a second, doubling. */
export const pauseMs = (failures: number, maxMs: number): number =>
  Math.min(maxMs, FIRST_PAUSE_MS * 2 ** Math.min(failures, 30))
