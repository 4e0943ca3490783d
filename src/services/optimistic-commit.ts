// The only loop that changes what is stored: decide on what stands → commit if it still stands → else decide again on what stands then.
// Calls, pairs, chat queues and the presence of watched users (update-aggregate.ts) and rooms (update-room.ts) say how each step is done.
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'

/** Each lost race is a commit of another request; more than a few in a row mean that something is wrong. */
const ATTEMPTS_MAX = 32

export interface Basis<State> {
  readonly state: State
  /** Read or written a moment ago, and not merely cached: a decision that refuses, or has nothing to commit, is final. */
  readonly isCurrent: boolean
  readonly now: number
}

/** `retryOn`: what stands instead; undefined: it has to be loaded. */
export type Attempt<State, Outcome> = { readonly outcome: Outcome } | { readonly retryOn: State | undefined }

export interface Steps<State, Decision, Outcome> {
  /** What is known of it already and may be out of date. */
  readonly cached?: State | undefined
  load(): Promise<State>
  /** Called again for every race lost, so it changes nothing. What it reads by itself is read after the state. */
  decide(state: State, now: number): Decision | Promise<Decision>
  /** The outcome of a decision that leaves nothing to commit; null: this one does. */
  withoutCommit(decision: Decision, state: State): Outcome | null
  commit(decision: Decision, basis: Basis<State>): Promise<Attempt<State, Outcome>>
}

/** @throws AppError whatever `decide` throws on a state that is current, and `commit`; store_unavailable */
export async function commitOptimistically<State, Decision, Outcome>(
  clock: Clock,
  steps: Steps<State, Decision, Outcome>
): Promise<Outcome> {
  let state = steps.cached
  let isCurrent = false
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (state === undefined) {
      state = await steps.load()
      isCurrent = true
    }
    const attempted = await attemptOn({ state, isCurrent, now: clock.now() }, steps)
    if ('outcome' in attempted) return attempted.outcome
    state = attempted.retryOn
    isCurrent = true
  }
  throw new AppError('store_unavailable', { detail: 'Too many others changed this at the same moment' })
}

async function attemptOn<State, Decision, Outcome>(
  basis: Basis<State>,
  steps: Steps<State, Decision, Outcome>
): Promise<Attempt<State, Outcome>> {
  const { state, isCurrent, now } = basis
  let decision: Decision
  try {
    decision = await steps.decide(state, now)
  } catch (error) {
    if (isCurrent) throw error
    return { retryOn: undefined }
  }
  const outcome = steps.withoutCommit(decision, state)
  if (outcome === null) return steps.commit(decision, basis)
  return isCurrent ? { outcome } : { retryOn: undefined }
}
