// The optimistic commit: how every stored state is changed.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../errors.js'
import type { Context } from './context.js'

/** Each conflict is a commit of another request; this many in a row mean a fault. */
const ROUNDS_MAX = 32
/**
 * After these the commit backs off. Of the requests that commit at the same time only one succeeds in a round: without a back-off, n of them
 * cost the store n² commits, and fail if they are more than ROUNDS_MAX.
 */
const ROUNDS_WITHOUT_BACKOFF = 8
/** Longer than the commits of a burst of a few hundred requests take together. */
const BACKOFF_MAX_MS = 256

/** What one decision is made on. */
export interface DecisionBasis<State> {
  readonly state: State
  /** The state was read or written a moment ago. False: it comes from the cache of this node and may be out of date. */
  readonly isFresh: boolean
  readonly now: number
}

/** A result, or a conflict: decide again on `retryOn`, the state that the store has now; undefined: load it. */
export type CommitOutcome<State, Result> = { readonly result: Result } | { readonly retryOn: State | undefined }

export interface CommitSteps<State, Decision, Result> {
  /** A state that may be out of date; undefined: load it. */
  readonly cached?: State | undefined
  load(): Promise<State>
  /** May be called several times, so it changes nothing that a later call does not replace. If it reads anything itself, that is newer than `state`. */
  decide(state: State, now: number): Decision | Promise<Decision>
  /** The result of a decision that leaves nothing to commit; null: it has to be committed. */
  withoutCommit(decision: Decision, state: State): Result | null
  /** Writes the decision if the store still has the state it was made on. */
  commit(decision: Decision, basis: DecisionBasis<State>): Promise<CommitOutcome<State, Result>>
}

/**
 * Read a state, decide, commit if the store still has that state; otherwise start again with the state it has now:
 *
 *     state = cached ?? load()
 *     loop:
 *       decision = decide(state)
 *       commit(decision)  →  committed: return the result
 *                         →  conflict:  state = the newer one
 *
 * So no state is locked while a request decides, and a decision is never committed on a state it was not made on. A cached state saves a
 * round trip, but nothing final may depend on it alone: an error, and a decision without a commit, are repeated on a fresh state.
 *
 * There are two implementations of the steps: update-aggregate.ts (calls, pairs, chat positions, presence) and room/update-room.ts. A third,
 * in sfu/ask-then-commit.ts, asks the media service in `decide`, and commits with room/update-room.ts.
 * The rounds after the first few wait for a random time before.
 * @throws AppError store_unavailable after too many conflicts; what `decide` throws on a fresh state; what `load` and `commit` throw
 */
export async function commitOptimistically<State, Decision, Result>(
  { clock, ids }: Pick<Context, 'clock' | 'ids'>,
  steps: CommitSteps<State, Decision, Result>
): Promise<Result> {
  let state = steps.cached
  let isFresh = false
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (state === undefined) {
      state = await steps.load()
      isFresh = true
    }
    const outcome = await decideAndCommit({ state, isFresh, now: clock.now() }, steps)
    if ('result' in outcome) return outcome.result
    state = outcome.retryOn
    isFresh = true
    const backoffs = round + 1 - ROUNDS_WITHOUT_BACKOFF
    if (backoffs < 0) continue
    // In real time: it only spreads requests, and no rule depends on it.
    await sleep(ids.between(1, Math.min(BACKOFF_MAX_MS, 16 * 2 ** backoffs)))
    // The state is not fresh any more.
    state = undefined
  }
  throw new AppError('store_unavailable', { detail: 'Too many concurrent changes' })
}

async function decideAndCommit<State, Decision, Result>(
  basis: DecisionBasis<State>,
  steps: CommitSteps<State, Decision, Result>
): Promise<CommitOutcome<State, Result>> {
  const { state, isFresh, now } = basis
  let decision: Decision
  try {
    decision = await steps.decide(state, now)
  } catch (error) {
    if (isFresh) throw error
    return { retryOn: undefined }
  }
  const result = steps.withoutCommit(decision, state)
  if (result === null) return steps.commit(decision, basis)
  return isFresh ? { result } : { retryOn: undefined }
}
