// What nodes without a single user ask of Redis, in commands a second, those inside scripts too: the cost of doing nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import { buildsAmong } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { countProcessed } from '../harness/redis.mjs'

const WINDOW_MS = 10_000
const REST_MS = 3_000
const TARGETS = { 1: 20, 4: 80 }

/** All fleets in the same window: counts do not depend on how busy the machine is. */
async function measure(fleets) {
  const count = () => Promise.all(fleets.map(fleet => countProcessed(fleet.redis.ports)))
  const before = await count()
  const startedAt = performance.now()
  await sleep(WINDOW_MS)
  const after = await count()
  const seconds = (performance.now() - startedAt) / 1000
  return after.map((commands, i) => (commands - before[i]) / seconds)
}

export function idle({ contenders, rounds }) {
  const builds = buildsAmong(contenders)
  const kinds = [1, 4].flatMap(nodes => [
    { nodes, cluster: false, names: ['hardened', ...builds] },
    { nodes, cluster: true, names: builds }
  ])
  const wanted = kinds.flatMap(({ nodes, cluster, names }) => names.map(name => ({ name, nodes, cluster })))
  return withFleets(wanted, async fleets => {
    await sleep(REST_MS)
    const samples = []
    for (let round = 0; round < rounds; round++) samples.push(await measure(fleets))
    const valuesOf = kind =>
      Object.fromEntries(
        kind.names.map(name => {
          const at = wanted.findIndex(
            each => each.name === name && each.nodes === kind.nodes && each.cluster === kind.cluster
          )
          return [name, samples.map(sample => sample[at])]
        })
      )
    return kinds.map(kind => {
      const where = kind.cluster ? 'Cluster of three primaries' : 'one server'
      const row = {
        figure: `commands/s, idle nodes: ${kind.nodes}, ${where}`,
        digits: 0,
        values: valuesOf(kind)
      }
      return kind.cluster ? row : { ...row, target: TARGETS[kind.nodes] }
    })
  })
}
