// How long from create until both sides have the other's description, at half of the hardened peer's peak: the same rate for all, calls
// begun on time whatever the server does.
import { buildsAmong } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { inRounds, median, valuesOf } from '../harness/rounds.mjs'
import { measureCalls } from './calls.mjs'

const PAIRS = 600
const IN_THREE = ' in three'
const RATE_OF = 'hardened'
const PEAK_SAMPLES = 3

async function findPeak(fleet, total) {
  const samples = []
  for (let i = 0; i < PEAK_SAMPLES; i++) samples.push((await measureCalls(fleet, { total, batch: 0 })).perSecond)
  return median(samples)
}

export function setup({ contenders, rounds, quick }) {
  const wanted = contenders.map(name => ({ name, nodes: 2 }))
  return withFleets(wanted, async fleets => {
    const total = quick ? 300 : 1_000
    for (const fleet of fleets) {
      await fleet.openPairs({ count: PAIRS, connected: false })
      await measureCalls(fleet, { total, batch: 0 })
    }
    const peak = await findPeak(
      fleets.find(fleet => fleet.name === RATE_OF),
      total
    )
    const rate = Math.round(peak / 2)
    const options = { total: Math.round(rate * (quick ? 2 : 6)), rate }
    const measurements = {}
    for (const fleet of fleets) {
      measurements[fleet.name] = () => fleet.measure('startCalls', options)
      if (buildsAmong([fleet.name]).length > 0) {
        measurements[`${fleet.name}${IN_THREE}`] = () => fleet.measure('startCalls', { ...options, inThree: true })
      }
    }
    const results = await inRounds(rounds, measurements)
    const values = key => valuesOf(results, contenders, { key })
    const inThree = key => ({ ...values(key), ...valuesOf(results, contenders, { key, suffix: IN_THREE }) })
    const figure = `create → both described, ms at ${rate} calls/s`
    return [
      { figure: `${figure}, p50`, values: values('p50'), of: RATE_OF, target: 1 },
      { figure: `${figure}, p99`, values: values('p99'), of: RATE_OF, target: 1 },
      { figure: '  in three requests, with all candidates, p50', values: inThree('p50'), of: RATE_OF },
      { figure: '  p99', values: inThree('p99'), of: RATE_OF }
    ]
  })
}
