// Dead letters in Redis: a hash of the letters and a sorted set of their ids, in one partition.
import type { DeadLetters } from '../dead-letters.js'
import type { RunCommand } from './clients.js'
import type { deadLetterKeys } from './keys.js'
import { addDeadLetter, removeDeadLetter } from './scripts.js'

export function createRedisDeadLetters(
  runCommand: RunCommand,
  { letters, ids }: ReturnType<typeof deadLetterKeys>
): DeadLetters {
  return {
    async add({ id, text, now }, keep) {
      return (await addDeadLetter(runCommand, [letters, ids], [id, text, keep, now])) === 'OK'
    },
    async list({ limit, before }) {
      const upTo = before === undefined ? '+inf' : `(${before}`
      const flat = await runCommand(client =>
        client.zrevrangebyscore(ids, upTo, '-inf', 'WITHSCORES', 'LIMIT', 0, limit)
      )
      const found = flat.flatMap((id, i) => (i % 2 === 0 ? [{ id, at: Number(flat[i + 1]) }] : [])).reverse()
      if (found.length === 0) return []
      const texts = await runCommand(client => client.hmget(letters, ...found.map(({ id }) => id)))
      // A letter may have been removed since.
      return found.flatMap((letter, i) => (texts[i] ? [{ ...letter, text: texts[i] }] : []))
    },
    async get(id) {
      const [text, at] = await Promise.all([
        runCommand(client => client.hget(letters, id)),
        runCommand(client => client.zscore(ids, id))
      ])
      return text === null || at === null ? null : { id, text, at: Number(at) }
    },
    async remove(id) {
      return (await removeDeadLetter(runCommand, [letters, ids], [id])) === 'REMOVED'
    }
  }
}
