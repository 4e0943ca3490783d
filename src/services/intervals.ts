// How often and how long, where a rule needs several settings at once.
import type { Config } from '../config.js'

/** A crashed node cannot say that its streams are gone: their presence lapses, and this look finds it. */
export const checkEveryMs = (config: Config) => Math.floor(config.presenceTtlMs / 2)

export const acceptTimes = (config: Config) => ({ connectMs: config.connectTimeoutMs, checkMs: checkEveryMs(config) })
