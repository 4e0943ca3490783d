// Work that nobody waits for, but for a node that is closing.
import type { FastifyBaseLogger } from 'fastify'

export interface Errands {
  /** Aborted when the node closes. */
  readonly closing: AbortSignal
  /** Begins at once, unless one of this name is at work. Its failure is logged and nothing else. */
  run(name: string, errand: (closing: AbortSignal) => Promise<unknown>): void
  /** Begins nothing any more, tells those at work to end, and resolves when they have. */
  close(): Promise<void>
}

export function createErrands(log: Pick<FastifyBaseLogger, 'warn'>): Errands {
  const running = new Map<string, Promise<void>>()
  const closing = new AbortController()
  return {
    closing: closing.signal,
    run(name, errand) {
      if (running.has(name) || closing.signal.aborted) return
      const done = errand(closing.signal)
        .then(
          () => undefined,
          error => log.warn({ err: error, errand: name }, 'an errand came to nothing')
        )
        .finally(() => running.delete(name))
      running.set(name, done)
    },
    async close() {
      closing.abort()
      while (running.size > 0) await Promise.all(running.values())
    }
  }
}
