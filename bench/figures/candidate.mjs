// Figures 1 and 2: processor time of all servers and Redis for one candidate, from a caller on one node to the callee's
// stream on the other, at full load; one candidate a message, and eight.
import { UNTIMED_PEER } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { inRounds } from '../harness/rounds.mjs'
import { measureRelay, PAIRS, WIDTH, warmUp } from './relay.mjs'

const BATCH = 8

export async function candidate({ contenders, rounds, quick }) {
  const total = quick ? 3_000 : 12_000
  return withFleets(
    [...contenders, UNTIMED_PEER].map(name => ({ name, nodes: 2 })),
    async fleets => {
      const measurements = {}
      for (const fleet of fleets) {
        await fleet.openPairs({ count: PAIRS, connected: true, oneWay: true })
        await warmUp(fleet, { quick })
        await warmUp(fleet, { quick, batch: BATCH, total: 2_000 })
        measurements[fleet.name] = () => measureRelay(fleet, { total, width: WIDTH })
        if (fleet.name === UNTIMED_PEER) continue
        measurements[`${fleet.name} batch`] = () =>
          measureRelay(fleet, { total: total / 4, width: WIDTH, batch: BATCH })
        if (fleet.name === 'socketio') {
          measurements['socketio unacknowledged'] = () =>
            measureRelay(fleet, { total, width: WIDTH, acknowledged: false })
        }
      }
      const results = await inRounds(rounds, measurements)
      return rows(results, name => results[name]?.map(result => result.micros))
    }
  )
}

function rows(results, micros) {
  const perCandidate = name => micros(`${name} batch`)?.map(value => value / BATCH)
  const part = (name, pick) => results[name]?.map(pick)
  const shares = pick => ({
    socketio: part('socketio', pick),
    signalpost: part('signalpost', pick),
    bare: part('bare', pick)
  })
  return [
    {
      figure: 'CPU µs per relayed candidate',
      values: { socketio: micros('socketio'), signalpost: micros('signalpost'), bare: micros('bare') },
      target: { ratio: 0.75 }
    },
    {
      figure: '  of it the sender’s node',
      values: shares(result => result.serverMicros[0])
    },
    {
      figure: '  of it the receiver’s node',
      values: shares(result => result.serverMicros[1])
    },
    {
      figure: '  of it Redis',
      values: shares(result => result.redisMicros)
    },
    {
      figure: '  peer without acknowledgements',
      values: { socketio: micros('socketio unacknowledged'), signalpost: micros('signalpost') }
    },
    {
      figure: '  peer without time limits on Redis commands',
      values: { socketio: micros(UNTIMED_PEER), signalpost: micros('signalpost') }
    },
    {
      figure: 'CPU µs per candidate, 8 a POST, peer one by one',
      values: { socketio: micros('socketio'), signalpost: perCandidate('signalpost'), bare: perCandidate('bare') },
      target: { ratio: 0.25 }
    },
    {
      figure: '  peer 8 a message too',
      values: { socketio: perCandidate('socketio'), signalpost: perCandidate('signalpost') }
    }
  ]
}
