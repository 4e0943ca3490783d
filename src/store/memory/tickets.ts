// Tickets in memory: one map for each user.
import type { Clock } from '../../clock.js'
import { TICKETS_MAX, type Tickets } from '../tickets.js'

interface TicketRecord {
  readonly device: string
  readonly value: string
  until: number
}

export interface MemoryTickets extends Tickets {
  /** Revokes all tickets of the device. */
  revoke(user: string, device: string): void
  size(): number
  sweep(now: number): void
}

export function createMemoryTickets(clock: Clock): MemoryTickets {
  const users = new Map<string, Map<string, TicketRecord>>()

  function dropFirstToExpire(tickets: Map<string, TicketRecord>): void {
    const [first] = [...tickets].sort(([, a], [, b]) => a.until - b.until)
    if (first) tickets.delete(first[0])
  }

  return {
    async put(user, { id, device, value, ttlMs }) {
      const tickets = users.get(user) ?? new Map<string, TicketRecord>()
      users.set(user, tickets)
      if (tickets.size >= TICKETS_MAX) dropFirstToExpire(tickets)
      tickets.set(id, { device, value, until: clock.now() + ttlMs })
    },
    async use(user, id, ttlMs) {
      const ticket = users.get(user)?.get(id)
      if (!ticket || ticket.until <= clock.now()) return null
      ticket.until = clock.now() + ttlMs
      return ticket.value
    },
    revoke(user, device) {
      const tickets = users.get(user) ?? []
      for (const [id, ticket] of tickets) if (ticket.device === device) users.get(user)?.delete(id)
    },
    size: () => users.size,
    sweep(now) {
      for (const [user, tickets] of users) {
        for (const [id, ticket] of tickets) if (ticket.until <= now) tickets.delete(id)
        if (tickets.size === 0) users.delete(user)
      }
    }
  }
}
