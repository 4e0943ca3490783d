// Intervals that are computed from several settings.
import type { Config } from '../config.js'

/** How often the liveness of devices is checked: a node that crashed reports no closed streams, so their keepalives expire instead. */
export const checkEveryMs = (config: Config) => Math.floor(config.presenceTtlMs / 2)

export const acceptTimes = (config: Config) => ({
  connectMs: config.connectTimeoutMs,
  checkMs: checkEveryMs(config),
  maxMs: config.maxCallDurationMs
})

/**
 * After a participant has left, the media service may still be executing a request of it, or the node that committed the leave may have died
 * before it told the service. The room is checked when neither can be the case any more.
 */
export const mediaSettlesInMs = ({ mediaServiceTimeoutMs }: Pick<Config, 'mediaServiceTimeoutMs'>): number =>
  mediaServiceTimeoutMs + 500
