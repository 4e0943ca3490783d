// Dead letters in Redis: one stream for all, in one partition.
import type { DeadLetters } from '../dead-letters.js'
import type { RunCommand } from './clients.js'
import { DEAD_LETTER_IDS_KEY, DEAD_LETTERS_KEY } from './keys.js'
import { addDeadLetter } from './scripts.js'

export function createRedisDeadLetters(runCommand: RunCommand): DeadLetters {
  return {
    async add({ id, text, now }, keep) {
      return (await addDeadLetter(runCommand, [DEAD_LETTERS_KEY, DEAD_LETTER_IDS_KEY], [id, text, keep, now])) === 'OK'
    },
    async list(limit) {
      const found = await runCommand(client => client.xrevrange(DEAD_LETTERS_KEY, '+', '-', 'COUNT', limit))
      return found.map(([, fields]) => fields[1] ?? '').reverse()
    }
  }
}
