import type { DeadLetter, DeadLetters } from '../dead-letters.js'

export function createMemoryDeadLetters(): DeadLetters {
  /** Oldest first. */
  const letters = new Map<string, DeadLetter>()
  return {
    async add({ id, text, now }, keep) {
      if (letters.has(id)) return false
      const newest = [...letters.values()].at(-1)
      letters.set(id, { id, text, at: Math.max(now, (newest?.at ?? 0) + 1) })
      for (const oldest of [...letters.keys()].slice(0, Math.max(0, letters.size - keep))) letters.delete(oldest)
      return true
    },
    list: async ({ limit, before = Infinity }) =>
      [...letters.values()].filter(({ at }) => at < before).slice(-Math.max(1, limit)),
    get: async id => letters.get(id) ?? null,
    remove: async id => letters.delete(id)
  }
}
