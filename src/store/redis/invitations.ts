// Invitations in Redis: one sorted set for each user: room, by the instant until which it rings. The key expires after the last one.
import type { Invitations } from '../rooms.js'
import type { RunCommand } from './clients.js'
import { invitationsKey } from './keys.js'
import { addInvitation } from './scripts.js'

/** The clocks of nodes differ by less than this. */
const SLACK_MS = 60_000

export function createRedisInvitations(runCommand: RunCommand): Invitations {
  return {
    async add(user, roomId, { until, now }) {
      await addInvitation(runCommand, [invitationsKey(user)], [roomId, until, now, SLACK_MS])
    },
    list: (user, now) => runCommand(client => client.zrangebyscore(invitationsKey(user), `(${now}`, '+inf'))
  }
}
