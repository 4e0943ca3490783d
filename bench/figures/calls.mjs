// Whole calls: create, accept, offer, answer, ten candidates each way, connected, hangup; every step begins with the event of the one
// before, as people and browsers do. One candidate a message makes 26 requests, five a message 10, ten a message 8. Signalpost also makes
// the same call in three requests: candidates go with the descriptions, and connected is not reported. Calls without
// candidates and connected show what the other five actions cost, and what they ask of Redis.
import { buildsAmong } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { countProcessed } from '../harness/redis.mjs'
import { inRounds, valuesOf } from '../harness/rounds.mjs'

const PAIRS = 400
const WIDTH = 48
const ACTIONS = 5
/** By the suffix of the measurement's name: candidates a message; 0 is a call without candidates. */
const BATCHES = { ' one by one': 1, ' fives': 5, ' once': 10, ' actions': 0 }

const IN_THREE = ' in three'

export async function measureCalls(fleet, { total, batch, inThree = false }) {
  const before = await countProcessed(fleet.redis.ports)
  const result = await fleet.measure('calls', { total, width: WIDTH, batch, inThree })
  if (result.completed < total) throw new Error(`${fleet.name}: ${JSON.stringify(result.failures)}`)
  const commands = (await countProcessed(fleet.redis.ports)) - before
  const each = cpu => cpu / total / 1000
  return {
    perSecond: (total / result.elapsedMs) * 1000,
    millis: each(result.cpu),
    redisMicrosAnAction: result.redisCpu / total / ACTIONS,
    commandsAnAction: commands / total / ACTIONS
  }
}

/** Opens pairs on each fleet, warms up, and measures each kind of call in rounds. `nameOf` tells the fleets' measurements apart. */
export async function measureKinds(fleets, { rounds, quick, nameOf = fleet => fleet.name }) {
  const total = quick ? 150 : 500
  const measurements = {}
  for (const fleet of fleets) {
    await fleet.openPairs({ count: PAIRS, connected: false })
    await measureCalls(fleet, { total: 2 * total, batch: 5 })
    for (const [suffix, batch] of Object.entries(BATCHES)) {
      measurements[`${nameOf(fleet)}${suffix}`] = () => measureCalls(fleet, { total, batch })
    }
    if (buildsAmong([fleet.name]).length > 0) {
      measurements[`${nameOf(fleet)}${IN_THREE}`] = () => measureCalls(fleet, { total, batch: 10, inThree: true })
    }
  }
  return inRounds(rounds, measurements)
}

export function calls({ contenders, rounds, quick }) {
  const wanted = contenders.map(name => ({ name, nodes: 2 }))
  return withFleets(wanted, async fleets => {
    const results = await measureKinds(fleets, { rounds, quick })
    const values = (key, suffix) => valuesOf(results, contenders, { key, suffix })
    const fives = values('millis', ' fives')
    const oneByOne = values('millis', ' one by one')
    const once = values('millis', ' once')
    return [
      { figure: 'CPU ms a whole call, 5 candidates a message', digits: 2, values: fives, of: 'hardened', target: 1 },
      { figure: '  by the streams peer', digits: 2, values: fives, of: 'streams' },
      {
        figure: 'CPU ms a whole call, candidates one by one',
        digits: 2,
        values: oneByOne,
        of: 'hardened',
        target: 1.1
      },
      { figure: '  by the streams peer', digits: 2, values: oneByOne, of: 'streams' },
      { figure: 'CPU ms a whole call, one message a side', digits: 2, values: once, of: 'hardened' },
      { figure: '  by the streams peer', digits: 2, values: once, of: 'streams' },
      {
        figure: 'CPU ms a whole call in three requests, of eight messages',
        digits: 2,
        values: { ...once, ...values('millis', IN_THREE) },
        of: 'hardened',
        target: 0.5
      },
      { figure: 'whole calls/s, 5 candidates a message', digits: 0, values: values('perSecond', ' fives') },
      { figure: 'CPU ms, the five actions alone', digits: 2, values: values('millis', ' actions'), of: 'hardened' },
      { figure: 'Redis µs an action', values: values('redisMicrosAnAction', ' actions'), target: 40 },
      { figure: '  commands an action, those inside scripts too', values: values('commandsAnAction', ' actions') }
    ]
  })
}
