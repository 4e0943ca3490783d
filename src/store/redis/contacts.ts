// Contacts in Redis: two strings with a TTL for each pair, and for each user a sorted set of the blocked users, by the last use of the block.
import {
  BACKOFF_MAX_MS,
  BLOCK_UNUSED_MS,
  BLOCK_USE_RECORDED_MS,
  type Contacts,
  type ContactUpdate
} from '../contacts.js'
import type { StoreOptions } from '../store.js'
import type { RunCommand } from './clients.js'
import { backoffKey, blocksKey, devicesKey, knownKey, membershipsKey, pushSubscriptionsKey } from './keys.js'
import { toRoomIds } from './memberships.js'
import { type Argument, addBlock, readCallee, recordContact } from './scripts.js'

/** In the order that lua/contact.lua reads. */
export function toContactArguments(user: string, { peer, outcome, keepMs, backoffMs }: ContactUpdate): Argument[] {
  return [knownKey(user, peer), backoffKey(user, peer), outcome, keepMs, backoffMs, BACKOFF_MAX_MS]
}

export function createRedisContacts(
  runCommand: RunCommand,
  { retentionMs }: Pick<StoreOptions, 'retentionMs'>
): Contacts {
  return {
    async readCallee(user, peer, now) {
      const keys = [
        knownKey(user, peer),
        backoffKey(user, peer),
        blocksKey(user),
        devicesKey(user),
        membershipsKey(user),
        pushSubscriptionsKey(user)
      ]
      const args = [peer, now, retentionMs, BLOCK_UNUSED_MS, BLOCK_USE_RECORDED_MS]
      const [isBlocked, isKnown, backoff, isReachable, lines, online, subscribed] = await readCallee(
        runCommand,
        keys,
        args
      )
      const [failures, retryAt] = backoff.split('|')
      return {
        isBlocked: isBlocked === 1,
        isKnown: isKnown === 1,
        backoff: backoff === '' ? null : { failures: Number(failures), retryAt: Number(retryAt) },
        isReachable: isReachable === 1,
        roomIds: [...new Set(lines.flatMap(toRoomIds))],
        isOnline: online.length > 0,
        asleep: subscribed.filter(device => !online.includes(device))
      }
    },
    async record(user, update, now) {
      const args = [now, ...toContactArguments(user, update)]
      await recordContact(runCommand, [knownKey(user, update.peer), backoffKey(user, update.peer)], args)
    },
    async block(user, peer, { now, max }) {
      return (await addBlock(runCommand, [blocksKey(user)], [peer, now, max, BLOCK_UNUSED_MS])) === 'OK'
    },
    async unblock(user, peer) {
      await runCommand(client => client.zrem(blocksKey(user), peer))
    },
    async blocks(user, now) {
      const since = `(${now - BLOCK_UNUSED_MS}`
      return (await runCommand(client => client.zrangebyscore(blocksKey(user), since, '+inf'))).sort()
    }
  }
}
