// Memberships in Redis: one hash for each user, device → one line for each room: room, when it was added, participant, separated by tabs.
// Memberships are removed when the device leaves; the TTL is a backstop.
import { MEMBERSHIPS_MS, type Membership, type Memberships } from '../rooms.js'
import type { RunCommand } from './clients.js'
import { membershipsKey } from './keys.js'
import { addMembership, removeMembership } from './scripts.js'

function toMemberships(user: string, device: string, lines: string | null): Membership[] {
  return (lines ?? '').split('\n').flatMap(line => {
    const [roomId = '', at, participantId = ''] = line.split('\t')
    return line === '' ? [] : [{ user, device, participantId, roomId, at: Number(at) }]
  })
}

export const toRoomIds = (lines: string): string[] => toMemberships('', '', lines).map(({ roomId }) => roomId)

export function createRedisMemberships(runCommand: RunCommand): Memberships {
  return {
    async add({ user, device, participantId }, roomId, { max, now }) {
      const line = [roomId, now, participantId].join('\t')
      return (
        (await addMembership(runCommand, [membershipsKey(user)], [device, roomId, line, max, MEMBERSHIPS_MS])) === 'OK'
      )
    },
    async remove({ user, device, participantId }, roomId) {
      await removeMembership(runCommand, [membershipsKey(user)], [device, roomId, participantId])
    },
    async list(user, device) {
      const key = membershipsKey(user)
      // Promise.all handles both rejections: an unhandled one would end the process.
      const renew = () => runCommand(client => client.pexpire(key, MEMBERSHIPS_MS))
      if (device === undefined) {
        const [found] = await Promise.all([runCommand(client => client.hgetall(key)), renew()])
        return Object.entries(found).flatMap(([name, lines]) => toMemberships(user, name, lines))
      }
      const [lines] = await Promise.all([runCommand(client => client.hget(key, device)), renew()])
      return toMemberships(user, device, lines)
    }
  }
}
