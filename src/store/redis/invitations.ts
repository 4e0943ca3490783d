// Invitations in Redis: for each user one sorted set of rooms, by the instant they ring until. The TTL is a backstop.
import type { Invitations } from '../rooms.js'
import type { Attempt } from './clients.js'
import { invitationsKey } from './keys.js'
import { addInvitation } from './scripts.js'

const TTL_MS = 24 * 3_600_000

export function createRedisInvitations(attempt: Attempt): Invitations {
  return {
    async add(user, roomId, { until, now }) {
      await addInvitation(attempt, [invitationsKey(user)], [roomId, until, now, TTL_MS])
    },
    list: (user, now) => attempt(client => client.zrangebyscore(invitationsKey(user), `(${now}`, '+inf'))
  }
}
