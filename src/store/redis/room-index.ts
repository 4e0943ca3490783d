// An index of rooms in Redis: one sorted set for each owner: room, by the instant until which it is listed. The key expires after the last
// one.
import type { RoomIndex } from '../rooms.js'
import type { RunCommand } from './clients.js'
import { addToRoomIndex } from './scripts.js'

/** The clocks of nodes differ by less than this. */
const SLACK_MS = 60_000

export function createRedisRoomIndex(runCommand: RunCommand, keyOf: (owner: string) => string): RoomIndex {
  return {
    async add(owner, roomId, { until, now }) {
      await addToRoomIndex(runCommand, [keyOf(owner)], [roomId, until, now, SLACK_MS])
    },
    list: (owner, now) => runCommand(client => client.zrangebyscore(keyOf(owner), `(${now}`, '+inf'))
  }
}
