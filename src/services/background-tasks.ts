// Background tasks: work that no request waits for. A node that closes waits for it.
import { setMaxListeners } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'

type Task = (closing: AbortSignal) => Promise<unknown>

export interface BackgroundTasks {
  /** Aborted when the node closes. */
  readonly closing: AbortSignal
  /** Starts the task now; if one with this name is running, does nothing. Errors are logged. */
  run(name: string, task: Task): void
  /** The same, but if one with this name is running, the task starts when that one has ended. Only the last such task does. */
  runAgain(name: string, task: Task): void
  /** Starts no more tasks, aborts `closing`, and resolves when all tasks have ended. */
  close(): Promise<void>
}

interface RunningTask {
  done: Promise<void>
  next: Task | null
}

export function createBackgroundTasks(log: Pick<FastifyBaseLogger, 'warn'>): BackgroundTasks {
  const tasks = new Map<string, RunningTask>()
  const closing = new AbortController()
  // Any number of tasks wait at the same time. Without this Node warns of a leak at the eleventh.
  setMaxListeners(0, closing.signal)

  function start(name: string, task: Task): void {
    if (closing.signal.aborted) return
    const running: RunningTask = { done: Promise.resolve(), next: null }
    tasks.set(name, running)
    running.done = task(closing.signal)
      .then(
        () => undefined,
        error => log.warn({ err: error, task: name }, 'background task failed')
      )
      .finally(() => {
        tasks.delete(name)
        if (running.next) start(name, running.next)
      })
  }

  return {
    closing: closing.signal,
    run(name, task) {
      if (!tasks.has(name)) start(name, task)
    },
    runAgain(name, task) {
      const running = tasks.get(name)
      if (running) running.next = task
      else start(name, task)
    },
    async close() {
      closing.abort()
      while (tasks.size > 0) await Promise.all([...tasks.values()].map(({ done }) => done))
    }
  }
}
