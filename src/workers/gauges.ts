// Gauges: how long the store takes to answer, so that a slow store shows before it is a dead one; how far the machine's clock is from
// the store's; and how long chat messages wait for their service.
import type { Context } from '../services/context.js'

const PULSE_EVERY_MS = 5000

/** Starts the worker; the returned function stops it. */
export function startGauges({ clock, store, metrics, log, chatBacklog }: Context): () => void {
  return clock.every(PULSE_EVERY_MS, () => {
    metrics.clockOffsetSeconds.set(store.clockOffsetMs() / 1000)
    metrics.chatLagSeconds.set(chatBacklog.ageMs(clock.now()) / 1000)
    store
      .ping()
      .then(ms => metrics.storeRoundTripSeconds.observe(ms / 1000))
      .catch(error => log.debug({ err: error }, 'the store did not answer a ping'))
  })
}
