// An index of rooms in memory: owner → room → the instant until which it is listed.
import type { RoomIndex } from '../rooms.js'

export function createMemoryRoomIndex(): RoomIndex & {
  has(owner: string): boolean
  size(): number
  sweep(now: number): void
} {
  const owners = new Map<string, Map<string, number>>()
  return {
    async add(owner, roomId, { until }) {
      const rooms = owners.get(owner) ?? new Map<string, number>()
      owners.set(owner, rooms.set(roomId, Math.max(until, rooms.get(roomId) ?? 0)))
    },
    list: async (owner, now) =>
      [...(owners.get(owner) ?? [])].filter(([, until]) => until > now).map(([roomId]) => roomId),
    has: owner => owners.has(owner),
    size: () => owners.size,
    sweep(now) {
      for (const [owner, rooms] of owners) {
        for (const [roomId, until] of rooms) if (until <= now) rooms.delete(roomId)
        if (rooms.size === 0) owners.delete(owner)
      }
    }
  }
}
