// The registered devices of each user, in memory. A device expires when its last keepalive is older than the retention.
import type { StoreOptions } from '../store.js'
import type { Device } from './mailbox.js'

export interface Devices {
  find(user: string, name: string, now: number): Device | undefined
  all(user: string, now: number): Device[]
  /**
   * Returns whether the user has fewer devices than are allowed. If not, the device that never listened and was seen least recently is removed.
   */
  makeRoom(user: string, now: number): boolean
  add(user: string, device: Device): void
  /** False: it was not registered. */
  remove(user: string, name: string): boolean
  /** Users with at least one device. */
  size(): number
  sweep(now: number): void
}

export function createDevices({
  retentionMs,
  maxDevicesPerUser
}: Pick<StoreOptions, 'retentionMs' | 'maxDevicesPerUser'>): Devices {
  const users = new Map<string, Map<string, Device>>()

  function find(user: string, name: string, now: number): Device | undefined {
    const devices = users.get(user)
    const found = devices?.get(name)
    if (!found || found.seenAt + retentionMs >= now) return found
    devices?.delete(name)
    return undefined
  }

  function all(user: string, now: number): Device[] {
    const names = [...(users.get(user)?.keys() ?? [])]
    return names.flatMap(name => find(user, name, now) ?? [])
  }

  return {
    find,
    all,
    makeRoom(user, now) {
      const registered = all(user, now)
      if (registered.length < maxDevicesPerUser) return true
      const [silent] = registered.filter(({ hasListened }) => !hasListened).sort((a, b) => a.seenAt - b.seenAt)
      return silent !== undefined && (users.get(user)?.delete(silent.name) ?? false)
    },
    add(user, device) {
      const devices = users.get(user) ?? new Map<string, Device>()
      users.set(user, devices.set(device.name, device))
    },
    remove: (user, name) => users.get(user)?.delete(name) ?? false,
    size: () => users.size,
    sweep(now) {
      for (const [user, devices] of users) if (all(user, now).length === 0 && devices.size === 0) users.delete(user)
    }
  }
}
