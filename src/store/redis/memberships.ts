// Memberships in Redis: for each user one hash, room/device → participant. The TTL is a backstop: who leaves is taken out.
import type { Memberships } from '../rooms.js'
import type { Attempt } from './clients.js'
import { membershipsKey } from './keys.js'
import { addMembership, removeMembership } from './scripts.js'

const TTL_MS = 7 * 24 * 3_600_000

export function createRedisMemberships(attempt: Attempt): Memberships {
  return {
    async add({ user, device, participantId }, roomId) {
      await addMembership(attempt, [membershipsKey(user)], [`${roomId}/${device}`, participantId, TTL_MS])
    },
    async remove({ user, device, participantId }, roomId) {
      await removeMembership(attempt, [membershipsKey(user)], [`${roomId}/${device}`, participantId])
    },
    async list(user) {
      const found = await attempt(client => client.hgetall(membershipsKey(user)))
      return Object.entries(found).map(([place, participantId]) => {
        const [roomId = '', device = ''] = place.split('/')
        return { user, device, participantId, roomId }
      })
    }
  }
}
