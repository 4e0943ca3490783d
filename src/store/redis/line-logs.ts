// Logs of lines in Redis: one list each, oldest line first, with a TTL.
import type { LineLogs } from '../line-logs.js'
import type { RunCommand } from './clients.js'
import { addToLineLog } from './scripts.js'

export function createRedisLineLogs(runCommand: RunCommand, keyOf: (id: string) => string): LineLogs {
  return {
    async add(id, lines, { max, keepMs }) {
      if (lines.length > 0) await addToLineLog(runCommand, [keyOf(id)], [max, keepMs, ...lines.slice(-max)])
    },
    list: (id, limit) => runCommand(client => client.lrange(keyOf(id), -limit, -1))
  }
}
