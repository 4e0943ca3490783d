// Invitations in Redis: for each user one sorted set of rooms, by the instant they ring until; the key goes with the last one.
import type { Invitations } from '../rooms.js'
import type { Attempt } from './clients.js'
import { invitationsKey } from './keys.js'
import { addInvitation } from './scripts.js'

/** Nodes differ by less than this. */
const SLACK_MS = 60_000

export function createRedisInvitations(attempt: Attempt): Invitations {
  return {
    async add(user, roomId, { until, now }) {
      await addInvitation(attempt, [invitationsKey(user)], [roomId, until, now, SLACK_MS])
    },
    list: (user, now) => attempt(client => client.zrangebyscore(invitationsKey(user), `(${now}`, '+inf'))
  }
}
