// Tickets in Redis: one hash for each user, so that removing a device can delete its tickets. They expire by the clock of Redis.
import { TICKETS_MAX, type Tickets } from '../tickets.js'
import type { Attempt } from './clients.js'
import { ticketsKey } from './keys.js'
import { putTicket, useTicket } from './scripts.js'

export function createRedisTickets(attempt: Attempt): Tickets {
  return {
    async put(user, { id, device, value, ttlMs }) {
      await putTicket(attempt, [ticketsKey(user)], [id, device, value, ttlMs, TICKETS_MAX])
    },
    use: (user, id, ttlMs) => useTicket(attempt, [ticketsKey(user)], [id, ttlMs])
  }
}
