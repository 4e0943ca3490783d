// Sets gauges: the round trip of the store, the offset of this machine's clock from the store's, the number of revocations, and how long chat
// messages wait for the chat service.
import type { Context } from '../services/context.js'

const MEASURE_EVERY_MS = 5000

/** Starts the worker. The returned function stops it. */
export function startGauges({ clock, store, metrics, log, chatBacklog }: Context): () => void {
  return clock.every(MEASURE_EVERY_MS, () => {
    metrics.clockOffsetSeconds.set(store.clockOffsetMs() / 1000)
    metrics.revocations.set(store.revocations.size())
    metrics.chatLagSeconds.set(chatBacklog.ageMs(clock.now()) / 1000)
    store
      .ping()
      .then(ms => metrics.storeRoundTripSeconds.observe(ms / 1000))
      .catch(error => log.debug({ err: error }, 'store round trip not measured'))
  })
}
