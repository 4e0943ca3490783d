// Push subscriptions in Redis: one hash for each user, which expires with the last of them.
import type { PushSubscriptions } from '../push-subscriptions.js'
import type { RunCommand } from './clients.js'
import { pushSubscriptionsKey } from './keys.js'
import { putPushSubscription, removePushSubscription } from './scripts.js'

export function createRedisPushSubscriptions(runCommand: RunCommand): PushSubscriptions {
  return {
    async put(user, { device, sealed, expiresAt }, { now, max }) {
      await putPushSubscription(runCommand, [pushSubscriptionsKey(user)], [device, sealed, expiresAt, now, max])
    },
    async list(user, now) {
      const found = await runCommand(client => client.hgetall(pushSubscriptionsKey(user)))
      const live = Object.entries(found).filter(([, text]) => Number(text.slice(0, text.indexOf('\n'))) > now)
      return new Map(live.map(([device, text]) => [device, text.slice(text.indexOf('\n') + 1)]))
    },
    async remove(user, device, sealed) {
      const args = sealed === undefined ? [device] : [device, sealed]
      await removePushSubscription(runCommand, [pushSubscriptionsKey(user)], args)
    }
  }
}
