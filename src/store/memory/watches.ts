// Watches in memory.
import type { Clock } from '../../clock.js'
import { joinIds } from '../../id-text.js'
import type { StoreOptions } from '../store.js'
import { type Watcher, type WatcherRecord, type Watches, watchTtlMs } from '../watches.js'
import { ExpiringMap } from './expiring-map.js'
import type { FanoutSource } from './fanout.js'

const nameOf = ({ user, device }: Watcher) => joinIds(user, device)

interface Parts extends Pick<StoreOptions, 'retentionMs'> {
  readonly clock: Clock
}

interface MemoryWatches extends Watches {
  readonly recipients: FanoutSource['recipients']
  size(): number
  sweep(now: number): void
}

export function createMemoryWatches({ clock, retentionMs }: Parts): MemoryWatches {
  const lists = new ExpiringMap<readonly string[]>(clock)
  const watchers = new ExpiringMap<Map<string, WatcherRecord>>(clock)
  const ttlMs = watchTtlMs(retentionMs)

  return {
    async list(watcher) {
      const found = lists.get(nameOf(watcher))
      if (found) lists.set(nameOf(watcher), found, clock.now() + ttlMs)
      return found ?? []
    },
    async put(watcher, users) {
      const before = lists.get(nameOf(watcher)) ?? []
      if (users.length === 0) lists.delete(nameOf(watcher))
      else lists.set(nameOf(watcher), [...users], clock.now() + ttlMs)
      return before
    },
    async add(user, watched, max) {
      const all = watchers.get(user) ?? new Map<string, WatcherRecord>()
      if (!all.has(nameOf(watched)) && all.size >= max) return false
      watchers.set(user, all.set(nameOf(watched), watched), clock.now() + ttlMs)
      return true
    },
    async remove(user, watcher) {
      const all = watchers.get(user)
      if (all?.delete(nameOf(watcher)) && all.size === 0) watchers.delete(user)
    },
    isWatched: async user => watchers.get(user) !== undefined,
    async watchers(user, { until, limit }) {
      const all = [...(watchers.get(user)?.values() ?? [])]
      return all
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at)
        .slice(0, limit)
    },
    recipients: user =>
      [...(watchers.get(user)?.values() ?? [])].map(({ user: who, device }) => ({
        user: who,
        device,
        participantId: '',
        since: 0
      })),
    size: () => lists.size + watchers.size,
    sweep(now) {
      lists.sweep(now)
      watchers.sweep(now)
    }
  }
}
