// Tasks that replace each other while they wait: background-tasks.ts has the same for work that no request waits for.

interface Started<T> {
  readonly ended: Promise<unknown>
  /** Runs after it. Null: none waits. */
  next: { task: () => Promise<T>; readonly result: Promise<T> } | null
}

/**
 * Runs a task now, or when the one of the same name that runs has ended. Of those that wait only the last is run, and all their callers get its
 * result.
 */
export function createLatestTask<T>(): (name: string, task: () => Promise<T>) => Promise<T> {
  const running = new Map<string, Started<T>>()

  function start(name: string, task: () => Promise<T>): Promise<T> {
    const result = task()
    const forget = () => running.get(name)?.next === null && running.delete(name)
    const started: Started<T> = { ended: result.then(forget, forget), next: null }
    running.set(name, started)
    return result
  }

  return (name, task) => {
    const before = running.get(name)
    if (before === undefined) return start(name, task)
    if (before.next !== null) before.next.task = task
    else before.next = { task, result: before.ended.then(() => start(name, before.next?.task ?? task)) }
    return before.next.result
  }
}
