// Quotas in Redis: one counter a window, counted over all nodes.
import type { Quotas } from '../store.js'
import type { Attempt } from './clients.js'
import { quotaKey } from './keys.js'
import { takeQuota } from './scripts.js'

/** A node whose clock is behind still counts in the old window for a moment. */
const LINGER_MS = 10_000

export function createRedisQuotas(attempt: Attempt): Quotas {
  return {
    async take(user, { name, windowMs, max, want, now }) {
      const key = quotaKey(user, name, windowMs, Math.floor(now / windowMs))
      const reply = await takeQuota(attempt, [key], [max, want, windowMs + LINGER_MS])
      return Number(reply.slice('GRANTED '.length))
    },
    async left(user, { name, windowMs, max, now }) {
      const taken = await attempt(client => client.get(quotaKey(user, name, windowMs, Math.floor(now / windowMs))))
      return Math.max(0, max - Number(taken ?? 0))
    }
  }
}
