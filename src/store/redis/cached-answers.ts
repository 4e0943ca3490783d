// Cached answers in Redis: one string each, `tag|value`, with a TTL.
import type { CachedAnswers } from '../cached-answers.js'
import type { RunCommand } from './clients.js'
import { cachedAnswerKey } from './keys.js'
import { putCachedAnswer } from './scripts.js'

export function createRedisCachedAnswers(runCommand: RunCommand): CachedAnswers {
  return {
    async get(id) {
      const text = await runCommand(client => client.get(cachedAnswerKey(id)))
      if (text === null) return null
      const bar = text.indexOf('|')
      return { tag: text.slice(0, bar), value: text.slice(bar + 1) }
    },
    async put(id, { tag, value }, { keepMs, ifTag }) {
      const expected = ifTag === undefined ? '' : `=${ifTag ?? ''}`
      return (await putCachedAnswer(runCommand, [cachedAnswerKey(id)], [tag, value, keepMs, expected])) === 'OK'
    }
  }
}
