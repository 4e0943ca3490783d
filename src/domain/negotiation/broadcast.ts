// Candidates for all participants of a room. They are numbered and stored once, with their sender. When a description of the sender is
// committed in a pair, the pair sends those it has not sent yet and stores the number of the last one.
import { AppError } from '../../errors.js'
import type { Candidate } from '../../schemas/signal.js'
import { type CandidateBatch, ufragOf } from './candidate.js'
import { mayWait, WAITING_BOUNDS } from './waiting-candidates.js'

export interface Broadcast {
  /** The number of the newest candidate, or of the end. */
  readonly last: number
  readonly candidates: readonly (readonly [number: number, candidate: Candidate])[]
  /** The number of the end of candidates; 0 before it. */
  readonly endAt: number
  /** The mode of the room in which they were broadcast, see PairState. */
  readonly modeSince: number
}

/**
 * Over the bounds, candidates of other generations than the new ones are dropped, and always those of another mode. Numbers go on.
 * @throws AppError too_many_waiting_candidates
 */
export function withBatch(before: Broadcast | null, batch: CandidateBatch, modeSince: number): Broadcast {
  const { last = 0 } = before ?? {}
  const { candidates, endAt } = before?.modeSince === modeSince ? before : { candidates: [], endAt: 0 }
  const fresh = batch.candidates.map((candidate, i) => [last + 1 + i, candidate] as const)
  const next = last + fresh.length + (batch.end ? 1 : 0)
  const generations = new Set(batch.candidates.map(ufragOf))
  const current = candidates.filter(([, candidate]) => generations.has(ufragOf(candidate)))
  const kept = [
    [...candidates, ...fresh],
    [...current, ...fresh]
  ].find(list => mayWait(list.map(([, each]) => each)))
  if (kept === undefined) throw new AppError('too_many_waiting_candidates', { detail: WAITING_BOUNDS })
  return { last: next, candidates: kept, endAt: batch.end ? next : endAt, modeSince }
}
