// Memberships in plain maps.
import type { Clock } from '../../clock.js'
import { MEMBERSHIPS_MS, type Membership, type Memberships } from '../rooms.js'

interface Kept {
  /** By device, then by room. */
  readonly devices: Map<string, Map<string, Membership>>
  until: number
}

export function createMemoryMemberships(
  clock: Clock
): Memberships & { has(user: string): boolean; size(): number; sweep(now: number): void } {
  const users = new Map<string, Kept>()

  function find(user: string): Kept | undefined {
    const found = users.get(user)
    return found && found.until > clock.now() ? found : undefined
  }

  return {
    async add(participation, roomId, { max, now }) {
      const { user, device, participantId } = participation
      const kept: Kept = find(user) ?? { devices: new Map(), until: 0 }
      const rooms = kept.devices.get(device) ?? new Map<string, Membership>()
      if (!rooms.has(roomId) && rooms.size >= max) return false
      kept.devices.set(device, rooms.set(roomId, { user, device, participantId, roomId, at: now }))
      kept.until = clock.now() + MEMBERSHIPS_MS
      users.set(user, kept)
      return true
    },
    async remove({ user, device, participantId }, roomId) {
      const kept = find(user)
      const rooms = kept?.devices.get(device)
      if (rooms?.get(roomId)?.participantId !== participantId) return
      rooms.delete(roomId)
      if (rooms.size === 0) kept?.devices.delete(device)
      if (kept?.devices.size === 0) users.delete(user)
    },
    async list(user, device) {
      const kept = find(user)
      if (!kept) return []
      kept.until = clock.now() + MEMBERSHIPS_MS
      const devices = device === undefined ? [...kept.devices.values()] : [kept.devices.get(device) ?? new Map()]
      return devices.flatMap(rooms => [...rooms.values()])
    },
    has: user => find(user) !== undefined,
    size: () => users.size,
    sweep(now) {
      for (const [user, { until }] of users) if (until <= now) users.delete(user)
    }
  }
}
