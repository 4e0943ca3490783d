// How long the store takes to answer, measured all the time, so that a slow store shows before it is a dead one; and how long chat
// messages wait for their service.
import type { Context } from '../services/context.js'

const PULSE_EVERY_MS = 5000

/** Starts the worker; the returned function stops it. */
export function startPulse({ clock, store, metrics, log, chatBacklog }: Context): () => void {
  return clock.every(PULSE_EVERY_MS, () => {
    metrics.chatLagSeconds.set(chatBacklog.ageMs(clock.now()) / 1000)
    store
      .ping()
      .then(ms => metrics.storeRoundTripSeconds.observe(ms / 1000))
      .catch(error => log.debug({ err: error }, 'the store did not answer a ping'))
  })
}
