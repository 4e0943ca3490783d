// Wake-ups within one process: handed over in order, never inside the call that caused them.
import type { Wakeup, Wakeups } from '../store.js'

export type Publish = (user: string, wakeup: Wakeup) => void

interface Listener {
  readonly listen: (wakeup: Wakeup) => void
}

export function createMemoryWakeups(): Wakeups & { publish: Publish } {
  const users = new Map<string, Set<Listener>>()
  return {
    publish(user, wakeup) {
      const listeners = users.get(user)
      if (!listeners) return
      for (const listener of listeners) {
        queueMicrotask(() => {
          if (listeners.has(listener)) listener.listen(wakeup)
        })
      }
    },
    async subscribe(user, listen) {
      const listener = { listen }
      const listeners = users.get(user) ?? new Set()
      users.set(user, listeners.add(listener))
      return async () => {
        listeners.delete(listener)
        if (listeners.size === 0 && users.get(user) === listeners) users.delete(user)
      }
    }
  }
}
