// Push subscriptions in memory: one map for each user.
import type { PushSubscriptionRecord, PushSubscriptions } from '../push-subscriptions.js'

export interface MemoryPushSubscriptions extends PushSubscriptions {
  devices(user: string, now: number): string[]
  size(): number
  sweep(now: number): void
}

export function createMemoryPushSubscriptions(): MemoryPushSubscriptions {
  const users = new Map<string, Map<string, PushSubscriptionRecord>>()

  function live(user: string, now: number): PushSubscriptionRecord[] {
    return [...(users.get(user)?.values() ?? [])].filter(({ expiresAt }) => expiresAt > now)
  }

  return {
    async put(user, subscription, { now, max }) {
      const others = live(user, now).filter(({ device }) => device !== subscription.device)
      const kept = others.sort((a, b) => b.expiresAt - a.expiresAt).slice(0, max - 1)
      users.set(user, new Map([...kept, subscription].map(each => [each.device, each])))
    },
    list: async (user, now) => new Map(live(user, now).map(({ device, sealed }) => [device, sealed])),
    async remove(user, device, sealed) {
      const found = users.get(user)?.get(device)
      if (found && (sealed === undefined || found.sealed === sealed)) users.get(user)?.delete(device)
    },
    devices: (user, now) => live(user, now).map(({ device }) => device),
    size: () => users.size,
    sweep(now) {
      for (const [user, subscriptions] of users) {
        for (const { device, expiresAt } of subscriptions.values()) if (expiresAt <= now) subscriptions.delete(device)
        if (subscriptions.size === 0) users.delete(user)
      }
    }
  }
}
