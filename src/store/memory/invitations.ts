// Invitations in memory: user → room → the instant until which it rings.
import type { Invitations } from '../rooms.js'

export function createMemoryInvitations(): Invitations & {
  has(user: string): boolean
  size(): number
  sweep(now: number): void
} {
  const users = new Map<string, Map<string, number>>()
  return {
    async add(user, roomId, { until }) {
      const rooms = users.get(user) ?? new Map<string, number>()
      users.set(user, rooms.set(roomId, Math.max(until, rooms.get(roomId) ?? 0)))
    },
    list: async (user, now) =>
      [...(users.get(user) ?? [])].filter(([, until]) => until > now).map(([roomId]) => roomId),
    has: user => users.has(user),
    size: () => users.size,
    sweep(now) {
      for (const [user, rooms] of users) {
        for (const [roomId, until] of rooms) if (until <= now) rooms.delete(roomId)
        if (rooms.size === 0) users.delete(user)
      }
    }
  }
}
