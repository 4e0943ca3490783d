// Checks the health of the media services, and starts the sweeps of their rooms when it changes.
import type { Context } from '../services/context.js'
import { mediaServicesOf } from '../services/sfu/media-services.js'
import { startSweep, sweepAgain } from '../services/sfu/sweeps.js'

/** How often a node looks for rooms that a sweep has missed. */
const SWEEP_AGAIN_MS = 10_000

/** Starts the worker. The returned function stops it. */
export function startMediaHealth(context: Context): () => void {
  const services = mediaServicesOf(context)
  if (services.list().length === 0) return () => undefined
  const stops = [
    services.onChange((service, change) => startSweep(context, service, change)),
    // A check after a failure is due sooner than in an interval.
    context.clock.every(Math.ceil(context.config.mediaHealthIntervalMs / 4), () => services.check()),
    context.clock.every(SWEEP_AGAIN_MS, () => sweepAgain(context))
  ]
  services.check()
  return () => {
    for (const stop of stops) stop()
  }
}
