// Wake-ups in memory: delivered in order, in a microtask after the call that caused them.
import type { Wakeup, Wakeups } from '../store.js'

export type Publish = (user: string, wakeup: Wakeup) => void

interface Listener {
  readonly listen: (wakeup: Wakeup) => void
}

export function createMemoryWakeups(): Wakeups & { publish: Publish } {
  /** Lists are replaced, never changed. Arrays, because a set takes several times the memory and there is usually one listener. */
  const users = new Map<string, readonly Listener[]>()

  function publish(user: string, wakeup: Wakeup): void {
    for (const listener of users.get(user) ?? []) {
      queueMicrotask(() => {
        if (users.get(user)?.includes(listener)) listener.listen(wakeup)
      })
    }
  }

  return {
    publish,
    // A single process needs no hint: it reads the state itself.
    onCommit: () => () => undefined,
    async notify(user, notice) {
      publish(user, { kind: 'notice', ...notice })
    },
    async subscribe(user, listen) {
      const listener = { listen }
      users.set(user, (users.get(user) ?? []).concat(listener))
      return async () => {
        const others = (users.get(user) ?? []).filter(other => other !== listener)
        if (others.length > 0) users.set(user, others)
        else users.delete(user)
      }
    }
  }
}
