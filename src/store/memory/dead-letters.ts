import type { DeadLetters } from '../dead-letters.js'

export function createMemoryDeadLetters(): DeadLetters {
  let letters: readonly string[] = []
  return {
    async add(letter, keep) {
      letters = [...letters, letter].slice(-keep)
    },
    list: async limit => letters.slice(-limit)
  }
}
