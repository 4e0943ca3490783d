import type { DeadLetters } from '../dead-letters.js'

export function createMemoryDeadLetters(): DeadLetters {
  let letters: readonly { readonly id: string; readonly text: string }[] = []
  return {
    async add({ id, text }, keep) {
      if (letters.some(letter => letter.id === id)) return false
      letters = [...letters, { id, text }].slice(-keep)
      return true
    },
    list: async limit => letters.slice(-limit).map(({ text }) => text)
  }
}
