// Background tasks: work that nobody waits for, but for a node that is closing.
import type { FastifyBaseLogger } from 'fastify'

type Task = (closing: AbortSignal) => Promise<unknown>

export interface BackgroundTasks {
  /** Aborted when the node closes. */
  readonly closing: AbortSignal
  /** Begins at once, unless one of this name is at work. Its failure is logged and nothing else. */
  run(name: string, task: Task): void
  /** The same, but if one of this name is at work it begins when that has ended; however many ask meanwhile, once. */
  runAgain(name: string, task: Task): void
  /** Begins nothing any more, tells those at work to end, and resolves when they have. */
  close(): Promise<void>
}

interface Running {
  done: Promise<void>
  next: Task | null
}

export function createBackgroundTasks(log: Pick<FastifyBaseLogger, 'warn'>): BackgroundTasks {
  const running = new Map<string, Running>()
  const closing = new AbortController()

  function start(name: string, task: Task): void {
    if (closing.signal.aborted) return
    const work: Running = { done: Promise.resolve(), next: null }
    running.set(name, work)
    work.done = task(closing.signal)
      .then(
        () => undefined,
        error => log.warn({ err: error, task: name }, 'a background task failed')
      )
      .finally(() => {
        running.delete(name)
        if (work.next) start(name, work.next)
      })
  }

  return {
    closing: closing.signal,
    run(name, task) {
      if (!running.has(name)) start(name, task)
    },
    runAgain(name, task) {
      const work = running.get(name)
      if (work) work.next = task
      else start(name, task)
    },
    async close() {
      closing.abort()
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done))
    }
  }
}
