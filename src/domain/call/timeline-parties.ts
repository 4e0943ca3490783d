// The timeline of a call whose sides change: the lines so far name their parties by an index, because the sides are others from then on.
import type { CallState, Timeline, TimelineLine } from './state.js'

/** The timeline with every side of its lines replaced by a party. */
export function withNamedParties({ timeline, caller, callee }: CallState): Timeline {
  const parties = [...(timeline.parties ?? [])]
  const indexOf = (party: typeof callee): number | null => {
    if (party === null) return null
    const known = parties.findIndex(({ user, device }) => user === party.user && device === party.device)
    return known === -1 ? parties.push(party) - 1 : known
  }
  const sides = { caller: indexOf(caller), callee: indexOf(callee) }
  const lines = timeline.lines.map(([afterMs, type, by, details]): TimelineLine => {
    const named = typeof by === 'string' ? sides[by] : by
    return details === undefined ? [afterMs, type, named] : [afterMs, type, named, details]
  })
  return { ...timeline, lines, parties }
}
