// What a message costs when nodes are added. As load grows, so that each node has as much to do as before; and at the
// same load, of which each node then has less at a time.
import { withFleets } from '../harness/fleet.mjs'
import { inRounds } from '../harness/rounds.mjs'
import { measureRelay, PAIRS, WIDTH, warmUp } from './relay.mjs'

const NODES = [1, 2, 4]
const WIDTH_A_NODE = WIDTH / NODES.at(-1)

export async function nodes({ contenders, rounds, quick }) {
  const total = quick ? 3_000 : 12_000
  const wanted = NODES.flatMap(count => contenders.map(name => ({ name, nodes: count })))
  return withFleets(wanted, async fleets => {
    const measurements = {}
    for (const fleet of fleets) {
      await fleet.openPairs({ count: PAIRS, connected: true })
      await warmUp(fleet, { quick })
      if (!quick) for (let i = 1; i < fleet.nodes; i++) await warmUp(fleet, { quick })
      measurements[`${fleet.name} ${fleet.nodes}`] = () =>
        measureRelay(fleet, { total, width: WIDTH_A_NODE * fleet.nodes })
      if (fleet.nodes === 1)
        measurements[`${fleet.name} all on one`] = () => measureRelay(fleet, { total, width: WIDTH })
    }
    const results = await inRounds(rounds, measurements)
    const micros = (name, which) => results[`${name} ${which}`].map(result => result.micros)
    const growth = (name, from) => micros(name, 4).map((value, round) => value / micros(name, from)[round])
    const byContender = pick => Object.fromEntries(contenders.map(name => [name, pick(name)]))
    return [
      ...NODES.map(count => ({
        figure: `CPU µs per candidate, nodes: ${count}`,
        values: byContender(name => micros(name, count))
      })),
      {
        figure: '  4 nodes with 4 × the load ÷ 1 node',
        digits: 2,
        values: byContender(name => growth(name, 1)),
        target: 1.1
      },
      {
        figure: '  4 nodes with the same load ÷ 1 node',
        digits: 2,
        values: byContender(name => growth(name, 'all on one'))
      }
    ]
  })
}
