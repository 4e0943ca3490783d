// What the figures about relayed candidates have in common.
import { insistOnAll } from '../harness/rounds.mjs'

const WARM_UP_MESSAGES = 12_000
const LIMIT_MS = 60_000

export const PAIRS = 200
export const WIDTH = 64

/** Runs one window on a fleet and returns processor time a message, throughput and latency. */
export async function measureRelay(fleet, { total, rate = 0, width = 0, batch = 1, acknowledged = true }) {
  const options = { total, rate, width, batch, acknowledged, limitMs: LIMIT_MS }
  const result = await fleet.measure('relay', options)
  insistOnAll(fleet.name, result)
  return {
    micros: result.cpu / total,
    serverMicros: result.serverCpu.map(cpu => cpu / total),
    redisMicros: result.redisCpu / total,
    perSecond: (total / result.elapsedMs) * 1000,
    p50: result.p50,
    p99: result.p99
  }
}

/** Lets the just-in-time compiler see the path before anything is counted. */
export function warmUp(fleet, { quick, ...options }) {
  return measureRelay(fleet, { total: quick ? WARM_UP_MESSAGES / 4 : WARM_UP_MESSAGES, width: WIDTH, ...options })
}
