// npm run bench:burst -- [--size 300] [--every 40] [--seconds 20]
// A burst of chat in a large room on two nodes: what it costs the room, and how it delays calls of other users.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CONTENDERS } from './harness/contenders.mjs'
import { withFleets } from './harness/fleet.mjs'
import { askServer } from './harness/redis.mjs'

const RING_MS = 1_000
const SETTLE_LIMIT_MS = 20_000
const HOUR_MS = '3600000'
const UNLIMITED = '1000000'
// Members have no streams and must not count as away. The limits of a single user are raised, because they are not measured here.
CONTENDERS.signalpost.env = {
  RING_TIMEOUT_MS: String(RING_MS),
  ...{ AWAY_AFTER_MS: HOUR_MS, GRACE_MS: HOUR_MS, PRESENCE_TTL_MS: HOUR_MS, RETENTION_MS: HOUR_MS },
  ...{ RATE_LIMIT_SIGNALS: UNLIMITED, RATE_LIMIT_CALLS: UNLIMITED, RATE_LIMIT_DELIVERIES: '100000000' }
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '300' },
    every: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '20' }
  }
})
const [size, everyMs, seconds] = [values.size, values.every, values.seconds].map(Number)

setTimeout(() => {
  console.error('Not done after four minutes: giving up.')
  process.exit(1)
}, 240_000).unref()

/** How often Redis has appended an event to a mailbox (`xadd`), or read which commits a user's mailboxes have taken (`get`). */
async function countCommands({ ports: [port] }) {
  const text = await askServer(port, 'INFO commandstats')
  const callsOf = command => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(text)?.[1] ?? 0)
  return { xadd: callsOf('xadd'), get: callsOf('get') }
}

/** Resolves when nothing more is appended. False: appends went on for SETTLE_LIMIT_MS. */
async function settled(redis) {
  const endAt = performance.now() + SETTLE_LIMIT_MS
  for (let before = -1; performance.now() < endAt; ) {
    const { xadd } = await countCommands(redis)
    if (xadd === before) return true
    before = xadd
    await sleep(1_500)
  }
  return false
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
const ms = value => (Number.isFinite(value) ? `${Math.round(value)} ms` : 'never')

await withFleets([{ name: 'signalpost', nodes: 2 }], async ([fleet]) => {
  await fleet.openBurst({ size, everyMs, forMs: seconds * 1000, ringMs: RING_MS })
  await settled(fleet.redis)
  const before = await countCommands(fleet.redis)
  const { replies, late } = await fleet.measure('runBurst', {})
  const isDone = await settled(fleet.redis)
  const after = await countCommands(fleet.redis)
  const times = replies.map(reply => reply.ms ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  const lost = replies.filter(({ status }) => status !== 201).length
  const due = replies.length * (size - 1)
  // Each message is also a line of the log and an entry of the outbox.
  const events = after.xadd - before.xadd - 2 * replies.length
  const rows = [
    ['members', String(size)],
    ['messages', `${replies.length}, ${lost} not answered 201`],
    ['POST p50', ms(at(times, 0.5))],
    ['POST p99', ms(at(times, 0.99))],
    ['unrelated ring timeout late by, at most', ms(Math.max(...late))],
    ['events appended ÷ (messages × members)', (events / due).toFixed(2)],
    ['append calls ÷ (messages × members)', ((after.get - before.get) / due).toFixed(2)],
    ['all published within 20 s of the end', isDone ? 'yes' : 'no']
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) console.log(`| ${name.padEnd(width)} | ${value} |`)
})
process.exit()
