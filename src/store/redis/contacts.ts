// Contacts in Redis: two strings a pair that expire, and for each user one sorted set of those they block, by when each block was used.
import { BLOCK_UNUSED_MS, BLOCK_USE_NOTED_MS, type Contacts } from '../contacts.js'
import type { Attempt } from './clients.js'
import { backoffKey, blocksKey, knownKey } from './keys.js'
import { addBlock } from './scripts.js'

export function createRedisContacts(attempt: Attempt): Contacts {
  return {
    async read(user, peer, now) {
      const [texts, score] = await Promise.all([
        attempt(client => client.mget(knownKey(user, peer), backoffKey(user, peer))),
        attempt(client => client.zscore(blocksKey(user), peer))
      ])
      const usedAt = score === null ? null : Number(score)
      const isBlocked = usedAt !== null && usedAt + BLOCK_UNUSED_MS > now
      if (isBlocked && now - usedAt > BLOCK_USE_NOTED_MS) {
        await attempt(client => client.zadd(blocksKey(user), 'XX', now, peer))
        await attempt(client => client.pexpire(blocksKey(user), BLOCK_UNUSED_MS))
      }
      const [failures, retryAt] = (texts[1] ?? '').split('|')
      const backoff = texts[1] == null ? null : { failures: Number(failures), retryAt: Number(retryAt) }
      return { isBlocked, isKnown: texts[0] != null, backoff }
    },
    async know(user, peer, ttlMs) {
      await attempt(client => client.set(knownKey(user, peer), '1', 'PX', ttlMs))
    },
    async setBackoff(user, peer, backoff) {
      const key = backoffKey(user, peer)
      if (backoff === null) await attempt(client => client.del(key))
      else await attempt(client => client.set(key, `${backoff.failures}|${backoff.retryAt}`, 'PX', backoff.ttlMs))
    },
    async block(user, peer, { now, max }) {
      return (await addBlock(attempt, [blocksKey(user)], [peer, now, max, BLOCK_UNUSED_MS])) === 'OK'
    },
    async unblock(user, peer) {
      await attempt(client => client.zrem(blocksKey(user), peer))
    },
    async blocks(user, now) {
      const since = `(${now - BLOCK_UNUSED_MS}`
      return (await attempt(client => client.zrangebyscore(blocksKey(user), since, '+inf'))).sort()
    }
  }
}
