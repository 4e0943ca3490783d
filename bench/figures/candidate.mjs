// Processor time of all servers and Redis for one candidate, from a caller on one node to the callee's
// stream on the other, at full load; one candidate a message, and eight.
import { UNTIMED_PEER } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { inRounds, valuesOf } from '../harness/rounds.mjs'
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
        if (fleet.name === 'streams') {
          measurements['streams unacknowledged'] = () =>
            measureRelay(fleet, { total, width: WIDTH, acknowledged: false })
        }
      }
      const results = await inRounds(rounds, measurements)
      return rows(results, contenders)
    }
  )
}

function rows(results, contenders) {
  const values = (key, suffix) => valuesOf(results, contenders, { key, suffix })
  const each = values('micros')
  const batched = Object.fromEntries(
    Object.entries(values('micros', ' batch')).map(([name, rounds]) => [name, rounds.map(micros => micros / BATCH)])
  )
  const shares = Object.fromEntries(
    ['sender', 'receiver'].map((side, i) => [
      side,
      Object.fromEntries(contenders.map(name => [name, results[name].map(result => result.serverMicros[i])]))
    ])
  )
  const withStreams = name => ({ ...each, streams: results[name].map(result => result.micros) })
  return [
    { figure: 'CPU µs a candidate', values: each, of: 'bare', target: 1.2 },
    { figure: '  by the streams peer', values: each, of: 'streams', target: 0.75 },
    { figure: '  by the hardened peer', values: each, of: 'hardened' },
    { figure: '  of it the sender’s node', values: shares.sender },
    { figure: '  of it the receiver’s node', values: shares.receiver },
    { figure: '  of it Redis', values: values('redisMicros') },
    {
      figure: '  streams peer without acknowledgements',
      values: withStreams('streams unacknowledged'),
      of: 'streams'
    },
    {
      figure: '  streams peer without time limits on Redis commands',
      values: withStreams(UNTIMED_PEER),
      of: 'streams'
    },
    { figure: 'CPU µs a candidate, 8 a message', values: batched, of: 'hardened' },
    { figure: '  streams peer one by one', values: { ...batched, streams: each.streams }, of: 'streams', target: 0.25 }
  ]
}
