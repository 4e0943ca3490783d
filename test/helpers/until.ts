// Waits for a condition that no event announces.
import { setTimeout as sleep } from 'node:timers/promises'

export async function until(what: string, holds: () => unknown, withinMs = 30_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain until ${what}`)
    await sleep(5)
  }
}
