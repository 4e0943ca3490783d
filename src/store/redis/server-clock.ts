// The time of Redis, so that all nodes on one store agree whatever their machines' clocks say. It is measured with the question that
// availability.ts asks once a second and carried on by the process' monotonic clock: setting the machine's clock changes nothing.
import type { Clock } from '../../clock.js'

/** One measurement; the first two on the monotonic clock of this process. All in milliseconds. */
export interface TimeSample {
  readonly sentAt: number
  readonly receivedAt: number
  readonly serverAt: number
}

export interface ServerClock extends Clock {
  /** False: the time is uncertain by more than a few milliseconds, and another sample may tell it better. */
  observe(sample: TimeSample): boolean
  /** The machine's clock minus that of Redis, in milliseconds; 0 before the first measurement. */
  offsetMs(): number
}

/** A sample is wrong by half its round trip at most. Of this many the one with the shortest is believed. */
const SAMPLES_MAX = 8
const PRECISE_MS = 5
/** Two samples that differ by more than their round trips explain, and by this, mean that the server's clock was set. */
const JITTER_MS = 10
/** A correction backwards by less than this holds the time still until it is made up for; a larger one is a step. */
const STEP_MS = 1000

interface Estimate {
  /** Server time minus monotonic time. */
  readonly offset: number
  readonly error: number
}

function estimate({ sentAt, receivedAt, serverAt }: TimeSample): Estimate {
  return { offset: serverAt - (sentAt + receivedAt) / 2, error: (receivedAt - sentAt) / 2 }
}

/** Until the first measurement it is the machine's clock, which also runs the timers. */
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
