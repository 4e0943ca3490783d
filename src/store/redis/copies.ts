// Copies in Redis: plain strings with a TTL, `tag|value`.
import type { Copies } from '../cached-answers.js'
import type { Attempt } from './clients.js'
import { copyKey } from './keys.js'
import { putCopy } from './scripts.js'

export function createRedisCopies(attempt: Attempt): Copies {
  return {
    async get(id) {
      const text = await attempt(client => client.get(copyKey(id)))
      if (text === null) return null
      const bar = text.indexOf('|')
      return { tag: text.slice(0, bar), value: text.slice(bar + 1) }
    },
    async put(id, { tag, value }, { keepMs, over }) {
      const expected = over === undefined ? '' : `=${over ?? ''}`
      return (await putCopy(attempt, [copyKey(id)], [tag, value, keepMs, expected])) === 'OK'
    }
  }
}
