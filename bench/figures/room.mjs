// Rooms of several sizes on two nodes and one Redis: everyone has a stream and joins, then people take turns to chat. What a delivery
// costs; the joins are measured once, the chat in rounds.
import { buildsAmong } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { inRounds } from '../harness/rounds.mjs'

const SIZES = [10, 100, 1000]
const QUICK_SIZES = [10, 100]
const WIDTH = 64
const WARM_UP = { size: 20, messages: 500 }
const DELIVERIES = 10_000
const TARGETS = { 1000: 35 }
// One of ten people writes more than a person may.
const ENV = { RATE_LIMIT_SIGNALS: '100000', RATE_LIMIT_DELIVERIES: '1000000000' }

async function chat(fleet, { size, messages }) {
  const { cpu, deliveries, receivedMs } = await fleet.measure('chat', { count: messages, width: Math.min(WIDTH, size) })
  return { micros: cpu / deliveries, perSecond: (deliveries / receivedMs) * 1000 }
}

async function fill(fleet, { size, roomId }) {
  await fleet.openRoom({ size, ports: fleet.servers.map(server => server.port), roomId })
  const { cpu, deliveries, answeredMs } = await fleet.measure('joinAll', { width: WIDTH })
  return { micros: cpu / deliveries, perSecond: (size / answeredMs) * 1000 }
}

/** Servers of its own for each size: people of a smaller room would be leaving while a larger one is measured. */
function measureSize(size, { builds, rounds }) {
  const wanted = builds.map(name => ({ name, nodes: 2, env: ENV }))
  return withFleets(wanted, async fleets => {
    const joins = {}
    const measurements = {}
    const messages = Math.max(10, Math.round(DELIVERIES / (size - 1)))
    for (const fleet of fleets) {
      await fill(fleet, { size: WARM_UP.size, roomId: 'warm-up' })
      await chat(fleet, WARM_UP)
      joins[fleet.name] = await fill(fleet, { size, roomId: 'room' })
      measurements[fleet.name] = () => chat(fleet, { size, messages })
    }
    return { joins, chats: await inRounds(rounds, measurements) }
  })
}

export async function room({ contenders, rounds, quick }) {
  const builds = buildsAmong(contenders)
  const rows = []
  for (const size of quick ? QUICK_SIZES : SIZES) {
    const { joins, chats } = await measureSize(size, { builds, rounds })
    const of = (source, key) => Object.fromEntries(builds.map(name => [name, [source[name]].flat().map(r => r[key])]))
    rows.push(
      { figure: `room of ${size}: CPU µs a chat delivery`, values: of(chats, 'micros'), target: TARGETS[size] },
      { figure: '  chat deliveries/s', digits: 0, values: of(chats, 'perSecond') },
      { figure: '  CPU µs a join event', values: of(joins, 'micros') },
      { figure: '  joins/s', digits: 0, values: of(joins, 'perSecond') }
    )
  }
  return rows
}
