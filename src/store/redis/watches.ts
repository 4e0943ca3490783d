// Watches in Redis: a device's list is a string, the watchers of a user are one hash, user/device → when it was known to watch.
import type { StoreOptions } from '../store.js'
import { type Watches, watchTtlMs } from '../watches.js'
import type { Attempt } from './clients.js'
import { watchersKey, watchingKey } from './keys.js'
import { addWatcher } from './scripts.js'

export function createRedisWatches(attempt: Attempt, { retentionMs }: StoreOptions): Watches {
  const ttlMs = watchTtlMs(retentionMs)
  return {
    async list({ user, device }) {
      const users = await attempt(client => client.getex(watchingKey(user, device), 'PX', ttlMs))
      return users?.split(',') ?? []
    },
    async put({ user, device }, users) {
      const key = watchingKey(user, device)
      if (users.length === 0) await attempt(client => client.del(key))
      else await attempt(client => client.set(key, users.join(','), 'PX', ttlMs))
    },
    async add(user, { at, ...watcher }, max) {
      const reply = await addWatcher(
        attempt,
        [watchersKey(user)],
        [`${watcher.user}/${watcher.device}`, at, max, ttlMs]
      )
      return reply === 'OK'
    },
    async remove(user, watcher) {
      await attempt(client => client.hdel(watchersKey(user), `${watcher.user}/${watcher.device}`))
    },
    async watchers(user) {
      const found = await attempt(client => client.hgetall(watchersKey(user)))
      return Object.entries(found).map(([name, at]) => {
        const [who = '', device = ''] = name.split('/')
        return { user: who, device, at: Number(at) }
      })
    }
  }
}
