// Memberships in plain maps. No expiry: a room and who sits in it live and die with the same process.
import type { Memberships, Seat } from '../rooms.js'

export function createMemoryMemberships(): Memberships {
  const users = new Map<string, Map<string, Seat & { readonly roomId: string }>>()
  return {
    async add({ user, device, participantId }, roomId) {
      const seats = users.get(user) ?? new Map()
      users.set(user, seats.set(`${roomId}/${device}`, { user, device, participantId, roomId }))
    },
    async remove({ user, device, participantId }, roomId) {
      const seats = users.get(user)
      const place = `${roomId}/${device}`
      if (seats?.get(place)?.participantId === participantId) seats.delete(place)
      if (seats?.size === 0) users.delete(user)
    },
    list: async user => [...(users.get(user)?.values() ?? [])]
  }
}
