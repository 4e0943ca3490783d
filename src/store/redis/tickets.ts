// Tickets in Redis: plain strings with a TTL that using them renews.
import type { Tickets } from '../store.js'
import type { Attempt } from './clients.js'
import { ticketKey } from './keys.js'

export function createRedisTickets(attempt: Attempt): Tickets {
  return {
    async put(user, id, value, ttlMs) {
      await attempt(client => client.set(ticketKey(user, id), value, 'PX', ttlMs))
    },
    use: (user, id, ttlMs) => attempt(client => client.getex(ticketKey(user, id), 'PX', ttlMs))
  }
}
