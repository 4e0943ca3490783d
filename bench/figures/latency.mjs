// Figure 3: how long from the POST (or emit) to the event in the receiver's hands, at half of the peer's peak. Also what a
// message costs there: with time between messages every one pays for its own wake-ups.
import { withFleets } from '../harness/fleet.mjs'
import { inRounds, median } from '../harness/rounds.mjs'
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
      const rate = Math.round(peaks.socketio[0] / 2)
      const total = Math.round(rate * (quick ? 1.5 : 6))
      const measurements = Object.fromEntries(
        fleets.map(fleet => [fleet.name, () => measureRelay(fleet, { total, rate })])
      )
      const results = await inRounds(rounds, measurements)
      const pick = key => Object.fromEntries(Object.entries(results).map(([name, all]) => [name, all.map(r => r[key])]))
      return [
        { figure: 'peak candidates/s, cross-node', digits: 0, values: peaks },
        { figure: `POST → event p50 ms at ${rate}/s`, digits: 2, values: pick('p50') },
        { figure: `POST → event p99 ms at ${rate}/s`, digits: 2, values: pick('p99'), target: { ratio: 1 } },
        { figure: `CPU µs per candidate at ${rate}/s`, values: pick('micros') }
      ]
    }
  )
}
