// Cached answers in memory.
import type { Clock } from '../../clock.js'
import type { CachedAnswer, CachedAnswers } from '../cached-answers.js'
import { ExpiringMap } from './expiring-map.js'

export function createMemoryCachedAnswers(clock: Clock): CachedAnswers & { size(): number; sweep(now: number): void } {
  const answers = new ExpiringMap<CachedAnswer>(clock)
  return {
    get: async id => answers.get(id) ?? null,
    async put(id, { tag, value }, { keepMs, ifTag }) {
      if (ifTag !== undefined && (answers.get(id)?.tag ?? null) !== ifTag) return false
      answers.set(id, { tag, value }, clock.now() + keepMs)
      return true
    },
    size: () => answers.size,
    sweep: now => answers.sweep(now)
  }
}
