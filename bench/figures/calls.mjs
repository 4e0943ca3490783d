// Figure 5: whole calls, 26 requests each: create, accept, offer, answer, ten candidates each way, hangup; every step waits
// for the event of the one before, as people and browsers do.
import { withFleets } from '../harness/fleet.mjs'
import { inRounds } from '../harness/rounds.mjs'

const PAIRS = 400
const WIDTH = 48
const CANDIDATES = 10

export async function measureCalls(fleet, { total, batch }) {
  const result = await fleet.measure('calls', { total, width: WIDTH, batch })
  if (result.completed < total) throw new Error(`${fleet.name}: ${JSON.stringify(result.failures)}`)
  const each = cpu => cpu / total / 1000
  return {
    perSecond: (total / result.elapsedMs) * 1000,
    millis: each(result.cpu),
    serverMillis: result.serverCpu.map(each),
    redisMillis: each(result.redisCpu)
  }
}

export async function calls({ contenders, rounds, quick }) {
  const total = quick ? 100 : 600
  return withFleets(
    contenders.filter(name => name !== 'bare').map(name => ({ name, nodes: 2 })),
    async fleets => {
      const measurements = {}
      for (const fleet of fleets) {
        await fleet.openPairs({ count: PAIRS, connected: false })
        await measureCalls(fleet, { total, batch: 1 })
        measurements[fleet.name] = () => measureCalls(fleet, { total, batch: 1 })
        measurements[`${fleet.name} batch`] = () => measureCalls(fleet, { total, batch: CANDIDATES })
      }
      const results = await inRounds(rounds, measurements)
      const pick = (key, kind) => ({
        socketio: results[`socketio${kind}`]?.map(result => result[key]),
        signalpost: results[`signalpost${kind}`]?.map(result => result[key])
      })
      return [
        { figure: 'whole calls/s', digits: 0, values: pick('perSecond', '') },
        { figure: 'CPU ms per whole call', digits: 2, values: pick('millis', ''), target: { ratio: 0.75 } },
        { figure: '  each side’s candidates in one message', digits: 2, values: pick('millis', ' batch') }
      ]
    }
  )
}
