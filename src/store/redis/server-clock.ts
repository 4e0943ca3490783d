// The clock of Redis, so that all nodes of one store have the same time, whatever their machines' clocks. It is measured once a second, with
// the check of availability.ts, and continued with the process' monotonic clock: setting the machine's clock has no effect.
import type { Clock } from '../../clock.js'

/** One measurement; the first two on the monotonic clock of this process. All in milliseconds. */
export interface TimeSample {
  readonly sentAt: number
  readonly receivedAt: number
  readonly serverAt: number
}

export interface ServerClock extends Clock {
  /** False: the time is uncertain by more than PRECISE_MS, and another sample may improve it. */
  observe(sample: TimeSample): boolean
  /** The machine's clock minus that of Redis, in milliseconds; 0 before the first measurement. */
  offsetMs(): number
}

/** A sample is wrong by at most half its round trip. Of the last SAMPLES_MAX the one with the shortest round trip is used. */
const SAMPLES_MAX = 8
const PRECISE_MS = 5
/** If two samples differ by more than their errors plus this, the server's clock was set, and the older one is dropped. */
const JITTER_MS = 10
/** A smaller correction backwards makes the clock stand still until it has caught up; a larger one sets it back. */
const STEP_MS = 1000

interface Estimate {
  /** Server time minus monotonic time. */
  readonly offset: number
  readonly error: number
}

function estimate({ sentAt, receivedAt, serverAt }: TimeSample): Estimate {
  return { offset: serverAt - (sentAt + receivedAt) / 2, error: (receivedAt - sentAt) / 2 }
}

/** Uses the machine's clock until the first measurement, and for timers. */
export function createServerClock(system: Clock, monotonicNow: () => number = () => performance.now()): ServerClock {
  let recent: readonly Estimate[] = []
  let best: Estimate | null = null
  let last = 0

  function now(): number {
    if (best === null) return Math.round(system.now())
    const time = Math.round(monotonicNow() + best.offset)
    if (time >= last || last - time > STEP_MS) last = time
    return last
  }

  return {
    now,
    after: (ms, run) => system.after(ms, run),
    every: (ms, run) => system.every(ms, run),
    observe(sample) {
      const latest = estimate(sample)
      const agrees = ({ offset, error }: Estimate) =>
        Math.abs(offset - latest.offset) <= error + latest.error + JITTER_MS
      recent = [latest, ...recent.filter(agrees)].slice(0, SAMPLES_MAX)
      best = recent.reduce((least, each) => (each.error < least.error ? each : least))
      return best.error <= PRECISE_MS
    },
    offsetMs: () => (best === null ? 0 : Math.round(system.now()) - now())
  }
}
