// Intervals that are computed from several settings.
import type { Config } from '../config.js'

/** How often the liveness of devices is checked: a node that crashed reports no closed streams, so their keepalives expire instead. */
export const checkEveryMs = (config: Config) => Math.floor(config.presenceTtlMs / 2)

export const acceptTimes = (config: Config) => ({
  connectMs: config.connectTimeoutMs,
  checkMs: checkEveryMs(config),
  maxMs: config.maxCallDurationMs
})
