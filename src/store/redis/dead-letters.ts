// One stream for all: there are few, or something is wrong anyway.
import type { DeadLetters } from '../dead-letters.js'
import type { Attempt } from './clients.js'
import { DEAD_LETTERS_KEY } from './keys.js'

export function createRedisDeadLetters(attempt: Attempt): DeadLetters {
  return {
    async add(letter, keep) {
      await attempt(client => client.xadd(DEAD_LETTERS_KEY, 'MAXLEN', keep, '*', 'letter', letter))
    },
    async list(limit) {
      const found = await attempt(client => client.xrevrange(DEAD_LETTERS_KEY, '+', '-', 'COUNT', limit))
      return found.map(([, fields]) => fields[1] ?? '').reverse()
    }
  }
}
