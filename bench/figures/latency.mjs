// How long from the POST (or emit) to the event in the receiver's hands, at half of the hardened peer's peak. Also what a
// message costs there: with time between messages every one pays for its own wake-ups.
import { withFleets } from '../harness/fleet.mjs'
import { inRounds, median, valuesOf } from '../harness/rounds.mjs'
import { measureRelay, PAIRS, WIDTH, warmUp } from './relay.mjs'

const PEAK_WIDTH = 2 * WIDTH

async function findPeak(fleet, quick) {
  const peaks = []
  for (let i = 0; i < 3; i++) {
    const { perSecond } = await measureRelay(fleet, { total: quick ? 3_000 : 15_000, width: PEAK_WIDTH })
    peaks.push(perSecond)
  }
  return median(peaks)
}

export async function latency({ contenders, rounds, quick }) {
  return withFleets(
    contenders.map(name => ({ name, nodes: 2 })),
    async fleets => {
      const peaks = {}
      for (const fleet of fleets) {
        await fleet.openPairs({ count: PAIRS, connected: true })
        await warmUp(fleet, { quick })
        peaks[fleet.name] = [await findPeak(fleet, quick)]
      }
      const rate = Math.round(peaks.hardened[0] / 2)
      const total = Math.round(rate * (quick ? 1.5 : 6))
      const measurements = Object.fromEntries(
        fleets.map(fleet => [fleet.name, () => measureRelay(fleet, { total, rate })])
      )
      const results = await inRounds(rounds, measurements)
      const values = key => valuesOf(results, contenders, { key })
      return [
        { figure: 'peak candidates/s, from node to node', digits: 0, values: peaks },
        { figure: `POST → event p50 ms at ${rate}/s`, digits: 2, values: values('p50'), of: 'hardened' },
        { figure: `POST → event p99 ms at ${rate}/s`, digits: 2, values: values('p99'), of: 'hardened', target: 1 },
        { figure: `CPU µs a candidate at ${rate}/s`, values: values('micros'), of: 'hardened' }
      ]
    }
  )
}
