// Measuring in rounds, and medians.

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/**
 * Takes each measurement once in each round, one after the other. Each round starts with another one, so that noise affects all equally.
 * `measurements` maps names to functions; the result maps the same names to arrays with one element for each round.
 */
export async function inRounds(rounds, measurements) {
  const names = Object.keys(measurements)
  const results = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length]
      results[name].push(await measurements[name]())
    }
  }
  return results
}

/** @throws Error if messages were lost, delivered twice or refused: the figure would be wrong */
export function insistOnAll(name, { lost, duplicates, refused }) {
  if (lost || duplicates) {
    throw new Error(`${name}: ${lost} lost, ${duplicates} twice, refused ${JSON.stringify(refused)}`)
  }
}

/** One key of the results of inRounds, by contender. `suffix` distinguishes several measurements of one contender. */
export function valuesOf(results, contenders, { key, suffix = '' }) {
  const pairs = contenders.map(name => [name, results[`${name}${suffix}`]?.map(result => result[key])])
  return Object.fromEntries(pairs.filter(([, values]) => values))
}
