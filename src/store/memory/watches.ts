// Watches in plain maps.
import type { Clock } from '../../clock.js'
import type { StoreOptions } from '../store.js'
import { type Watched, type Watcher, type Watches, watchTtlMs } from '../watches.js'
import type { FanoutSource } from './fanout.js'

interface Kept<T> {
  readonly value: T
  until: number
}

const nameOf = ({ user, device }: Watcher) => `${user}/${device}`

interface Parts extends Pick<StoreOptions, 'retentionMs'> {
  readonly clock: Clock
}

interface MemoryWatches extends Watches {
  readonly recipients: FanoutSource['recipients']
  size(): number
  sweep(now: number): void
}

export function createMemoryWatches({ clock, retentionMs }: Parts): MemoryWatches {
  const lists = new Map<string, Kept<readonly string[]>>()
  const watchers = new Map<string, Kept<Map<string, Watched>>>()
  const ttlMs = watchTtlMs(retentionMs)

  function find<T>(kept: Map<string, Kept<T>>, key: string): Kept<T> | undefined {
    const found = kept.get(key)
    return found && found.until > clock.now() ? found : undefined
  }

  return {
    async list(watcher) {
      const found = find(lists, nameOf(watcher))
      if (found) found.until = clock.now() + ttlMs
      return found?.value ?? []
    },
    async put(watcher, users) {
      const before = find(lists, nameOf(watcher))?.value ?? []
      if (users.length === 0) lists.delete(nameOf(watcher))
      else lists.set(nameOf(watcher), { value: [...users], until: clock.now() + ttlMs })
      return before
    },
    async add(user, watched, max) {
      const all = find(watchers, user)?.value ?? new Map<string, Watched>()
      if (!all.has(nameOf(watched)) && all.size >= max) return false
      watchers.set(user, { value: all.set(nameOf(watched), watched), until: clock.now() + ttlMs })
      return true
    },
    async remove(user, watcher) {
      const all = watchers.get(user)?.value
      if (all?.delete(nameOf(watcher)) && all.size === 0) watchers.delete(user)
    },
    isWatched: async user => find(watchers, user) !== undefined,
    async watchers(user, { until, limit }) {
      const all = [...(find(watchers, user)?.value.values() ?? [])]
      return all
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at)
        .slice(0, limit)
    },
    recipients: user =>
      [...(find(watchers, user)?.value.values() ?? [])].map(({ user: who, device }) => ({
        user: who,
        device,
        participantId: '',
        since: 0
      })),
    size: () => lists.size + watchers.size,
    sweep(now) {
      for (const kept of [lists, watchers]) {
        for (const [key, { until }] of kept) if (until <= now) kept.delete(key)
      }
    }
  }
}
