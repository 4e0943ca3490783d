// Figure 6: what a message costs when there are more nodes and the same users are spread over them.
import { withFleets } from '../harness/fleet.mjs'
import { inRounds } from '../harness/rounds.mjs'
import { measureRelay, PAIRS, WIDTH, warmUp } from './relay.mjs'

const NODES = [1, 2, 4]

export async function nodes({ contenders, rounds, quick }) {
  const total = quick ? 3_000 : 12_000
  const wanted = NODES.flatMap(count => contenders.map(name => ({ name, nodes: count })))
  return withFleets(wanted, async fleets => {
    const measurements = {}
    for (const fleet of fleets) {
      await fleet.openPairs({ count: PAIRS, connected: true })
      await warmUp(fleet, { quick })
      if (!quick) for (let i = 1; i < fleet.nodes; i++) await warmUp(fleet, { quick })
      measurements[`${fleet.name} ${fleet.nodes}`] = () => measureRelay(fleet, { total, width: WIDTH })
    }
    const results = await inRounds(rounds, measurements)
    const micros = (name, count) => results[`${name} ${count}`].map(result => result.micros)
    const byContender = pick => Object.fromEntries(contenders.map(name => [name, pick(name)]))
    const rows = NODES.map(count => ({
      figure: `CPU µs per candidate, nodes: ${count}`,
      values: byContender(name => micros(name, count))
    }))
    const growth = name => micros(name, 4).map((value, round) => value / micros(name, 1)[round])
    rows.push({ figure: '  four nodes ÷ one node', digits: 2, values: byContender(growth), target: { value: 1.1 } })
    return rows
  })
}
