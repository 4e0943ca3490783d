// Rounds, and what is made of them.

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/**
 * Takes each measurement once a round, in turn, starting with another one each round, so that noise hits all alike.
 * `measurements` maps names to functions; the result maps the same names to arrays, one element a round.
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

/** A figure that lost, doubled or was refused messages would not be one. */
export function insistOnAll(name, { lost, duplicates, refused }) {
  if (lost || duplicates) {
    throw new Error(`${name}: ${lost} lost, ${duplicates} twice, refused ${JSON.stringify(refused)}`)
  }
}

/** From the results of inRounds, one key of each, by the contenders' own names. `suffix` tells measurements of one contender apart. */
export function valuesOf(results, contenders, { key, suffix = '' }) {
  const pairs = contenders.map(name => [name, results[`${name}${suffix}`]?.map(result => result[key])])
  return Object.fromEntries(pairs.filter(([, values]) => values))
}
