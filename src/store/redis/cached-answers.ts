// CachedAnswers in Redis: plain strings with a TTL, `tag|value`.
import type { CachedAnswers } from '../cached-answers.js'
import type { Attempt } from './clients.js'
import { cachedAnswerKey } from './keys.js'
import { putCachedAnswer } from './scripts.js'

export function createRedisCachedAnswers(attempt: Attempt): CachedAnswers {
  return {
    async get(id) {
      const text = await attempt(client => client.get(cachedAnswerKey(id)))
      if (text === null) return null
      const bar = text.indexOf('|')
      return { tag: text.slice(0, bar), value: text.slice(bar + 1) }
    },
    async put(id, { tag, value }, { keepMs, ifTag }) {
      const expected = ifTag === undefined ? '' : `=${ifTag ?? ''}`
      return (await putCachedAnswer(attempt, [cachedAnswerKey(id)], [tag, value, keepMs, expected])) === 'OK'
    }
  }
}
