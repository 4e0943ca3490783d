// Tickets in Redis: one hash for each user, so that removing a device can delete its tickets. They expire by the clock of Redis.
import { TICKETS_MAX, type Tickets } from '../tickets.js'
import type { RunCommand } from './clients.js'
import { ticketsKey } from './keys.js'
import { putTicket, useTicket } from './scripts.js'

export function createRedisTickets(runCommand: RunCommand): Tickets {
  return {
    async put(user, { id, device, value, ttlMs }) {
      await putTicket(runCommand, [ticketsKey(user)], [id, device, value, ttlMs, TICKETS_MAX])
    },
    use: (user, id, ttlMs) => useTicket(runCommand, [ticketsKey(user)], [id, ttlMs])
  }
}
