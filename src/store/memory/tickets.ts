// Tickets in a plain map.
import type { Clock } from '../../clock.js'
import type { Tickets } from '../store.js'

export function createMemoryTickets(clock: Clock): Tickets & { sweep(now: number): void } {
  const tickets = new Map<string, { readonly value: string; until: number }>()
  const keyOf = (user: string, id: string) => `${user} ${id}`
  return {
    async put(user, id, value, ttlMs) {
      tickets.set(keyOf(user, id), { value, until: clock.now() + ttlMs })
    },
    async use(user, id, ttlMs) {
      const ticket = tickets.get(keyOf(user, id))
      if (!ticket || ticket.until <= clock.now()) return null
      ticket.until = clock.now() + ttlMs
      return ticket.value
    },
    sweep(now) {
      for (const [key, ticket] of tickets) if (ticket.until <= now) tickets.delete(key)
    }
  }
}
