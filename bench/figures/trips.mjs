// Sequential round trips to Redis of a create: how much longer it takes when each reply of Redis takes DELAY_MS longer, divided by
// that. Two nodes, a caller on one and a callee on the other, one create at a time.
import { withFleets } from '../harness/fleet.mjs'
import { inRounds, median, valuesOf } from '../harness/rounds.mjs'

const DELAY_MS = 25
const TARGET = 3

/** Each pair creates once: the first of them without the delay, the others with it. */
async function prepare(fleet, { rounds, creates }) {
  await fleet.openPairs({ count: (rounds + 2) * creates, connected: false })
  const take = round => fleet.ask('createEach', { from: round * creates, count: creates })
  await take(0)
  const plainMs = median(await take(1))
  let round = 1
  return async () => {
    fleet.link.delay(DELAY_MS)
    return { trips: (median(await take(++round)) - plainMs) / DELAY_MS }
  }
}

export function trips({ contenders, rounds, quick }) {
  const some = contenders.filter(name => name !== 'bare')
  const wanted = some.map(name => ({ name, nodes: 2, slowLink: true }))
  return withFleets(wanted, async fleets => {
    const measurements = {}
    for (const fleet of fleets) measurements[fleet.name] = await prepare(fleet, { rounds, creates: quick ? 5 : 15 })
    const results = await inRounds(rounds, measurements)
    const values = valuesOf(results, some, { key: 'trips' })
    return [{ figure: 'sequential round trips of a create', values, target: TARGET }]
  })
}
