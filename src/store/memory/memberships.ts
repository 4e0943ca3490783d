// Memberships in memory.
import type { Clock } from '../../clock.js'
import { MEMBERSHIPS_MS, type Membership, type Memberships } from '../rooms.js'
import { ExpiringMap } from './expiring-map.js'

/** The memberships of a user: device → room → membership. */
type Devices = Map<string, Map<string, Membership>>

export function createMemoryMemberships(
  clock: Clock
): Memberships & { has(user: string): boolean; size(): number; sweep(now: number): void } {
  const users = new ExpiringMap<Devices>(clock)
  const keep = (user: string, devices: Devices) => users.set(user, devices, clock.now() + MEMBERSHIPS_MS)

  return {
    async add(participation, roomId, { max, now }) {
      const { user, device, participantId } = participation
      const devices: Devices = users.get(user) ?? new Map()
      const rooms = devices.get(device) ?? new Map<string, Membership>()
      if (!rooms.has(roomId) && rooms.size >= max) return false
      keep(user, devices.set(device, rooms.set(roomId, { user, device, participantId, roomId, at: now })))
      return true
    },
    async remove({ user, device, participantId }, roomId) {
      const devices = users.get(user)
      const rooms = devices?.get(device)
      if (rooms?.get(roomId)?.participantId !== participantId) return
      rooms.delete(roomId)
      if (rooms.size === 0) devices?.delete(device)
      if (devices?.size === 0) users.delete(user)
    },
    async list(user, device) {
      const devices = users.get(user)
      if (!devices) return []
      keep(user, devices)
      const asked = device === undefined ? [...devices.values()] : [devices.get(device) ?? new Map()]
      return asked.flatMap(rooms => [...rooms.values()])
    },
    has: user => users.get(user) !== undefined,
    size: () => users.size,
    sweep: now => users.sweep(now)
  }
}
