// Watches in Redis. A device's list is a string: encoded user ids, separated by commas. The watchers of a user are a sorted set: user and
// device (joinIds), by when the device was last known to watch.
import { decodeId, encodeId, joinIds, splitIds } from '../../id-text.js'
import type { StoreOptions } from '../store.js'
import { type Watcher, type WatcherRecord, type Watches, watchTtlMs } from '../watches.js'
import type { RunCommand } from './clients.js'
import { watchersKey, watchingKey } from './keys.js'
import { addWatcher } from './scripts.js'

const toUsers = (list: string | null): string[] => list?.split(',').map(decodeId) ?? []
const nameOf = ({ user, device }: Watcher) => joinIds(user, device)

/** `flat` is the reply to WITHSCORES: member, score, member, … */
function toWatchers(flat: readonly string[]): WatcherRecord[] {
  const found: WatcherRecord[] = []
  for (let i = 0; i < flat.length; i += 2) {
    const [user = '', device = ''] = splitIds(flat[i] ?? '')
    found.push({ user, device, at: Number(flat[i + 1]) })
  }
  return found
}

export function createRedisWatches(runCommand: RunCommand, { retentionMs }: StoreOptions): Watches {
  const ttlMs = watchTtlMs(retentionMs)
  return {
    async list({ user, device }) {
      return toUsers(await runCommand(client => client.getex(watchingKey(user, device), 'PX', ttlMs)))
    },
    async put({ user, device }, users) {
      const key = watchingKey(user, device)
      const before = await runCommand(client =>
        users.length === 0 ? client.getdel(key) : client.set(key, users.map(encodeId).join(','), 'PX', ttlMs, 'GET')
      )
      return toUsers(before)
    },
    async add(user, { at, ...watcher }, max) {
      const reply = await addWatcher(runCommand, [watchersKey(user)], [nameOf(watcher), at, max, ttlMs])
      return reply === 'OK'
    },
    async remove(user, watcher) {
      await runCommand(client => client.zrem(watchersKey(user), nameOf(watcher)))
    },
    async isWatched(user) {
      return (await runCommand(client => client.exists(watchersKey(user)))) === 1
    },
    async watchers(user, { until, limit }) {
      const key = watchersKey(user)
      return toWatchers(
        await runCommand(client => client.zrangebyscore(key, '-inf', until, 'WITHSCORES', 'LIMIT', 0, limit))
      )
    }
  }
}
