// npm run bench:rooms -- [--sizes 10,100,1000] [--deliveries 20000]
// Fills rooms on two nodes and one Redis, then lets people chat. Does a delivery cost more where many are in?
import { parseArgs } from 'node:util'
import { CONTENDERS } from './harness/contenders.mjs'
import { withFleets } from './harness/fleet.mjs'

const LIMIT_MS = 5 * 60_000
const WIDTH = 64
// One of ten people writes more than a person may.
CONTENDERS.signalpost.env = { RATE_LIMIT_SIGNALS: '100000', RATE_LIMIT_DELIVERIES: '1000000000' }

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10,100,1000' },
    deliveries: { type: 'string', default: '20000' }
  }
})
const sizes = options.sizes.split(',').map(Number)

setTimeout(() => {
  console.error(`Not done after ${LIMIT_MS / 60_000} minutes: giving up.`)
  process.exit(1)
}, LIMIT_MS).unref()

const perSecond = (count, ms) => Math.round((count / ms) * 1000).toString()
const micros = ({ cpu, deliveries }) => (cpu / deliveries).toFixed(0)

async function fill(fleet, { size, messages, roomId }) {
  await fleet.openRoom({ size, ports: fleet.servers.map(server => server.port), roomId })
  const joined = await fleet.measure('joinAll', { width: WIDTH })
  const chatted = await fleet.measure('chat', { count: messages, width: Math.min(WIDTH, size) })
  return { joined, chatted }
}

/** Servers of its own: people of a smaller room would be leaving while a larger one is measured. */
function measure(size) {
  return withFleets([{ name: 'signalpost', nodes: 2 }], async ([fleet]) => {
    await fill(fleet, { size: 20, messages: 500, roomId: 'warm-up' })
    const messages = Math.max(10, Math.round(Number(options.deliveries) / (size - 1)))
    const { joined, chatted } = await fill(fleet, { size, messages, roomId: 'room' })
    return [
      String(size),
      perSecond(size, joined.answeredMs),
      perSecond(joined.deliveries, joined.toldMs),
      micros(joined),
      perSecond(chatted.deliveries, chatted.toldMs),
      micros(chatted)
    ]
  })
}

const rows = []
for (const size of sizes) rows.push(await measure(size))
const heads = ['people', 'joins/s', 'told/s', 'CPU µs each', 'chat deliveries/s', 'CPU µs each']
const show = cells => `| ${cells.map((text, i) => text.padStart(heads[i].length)).join(' | ')} |`
console.log(
  [show(heads), `|${heads.map(head => `${'-'.repeat(head.length + 1)}:`).join('|')}|`, ...rows.map(show)].join('\n')
)
process.exit()
