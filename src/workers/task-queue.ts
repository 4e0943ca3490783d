// Runs a bounded number of tasks at a time, the most urgent first. A slow task is set aside: it runs on and no longer counts, so a
// slow room or an outside service that does not reply delays no deadline.
import type { FastifyBaseLogger } from 'fastify'
import { TIMER_CLASSES, type TimerClass } from '../store/timers.js'

/** Enough to keep the store busy, and few enough that an urgent task waits only milliseconds. */
const COUNTED_MAX = 64
/** A class is closed while this many tasks wait that are at least as urgent. They run well before their claims lapse. */
const WAITING_MAX = 512

export interface TimerTask {
  readonly timerClass: TimerClass
  /** Two tasks of one key never run at once: the second is dropped. */
  readonly key: string
  run(): Promise<unknown>
}

export interface TaskQueue {
  add(task: TimerTask): void
  /** The classes that accept tasks, the most urgent first. */
  openClasses(): readonly TimerClass[]
  /** To be called regularly: tasks that have run since the previous call no longer count. */
  setSlowTasksAside(): void
  /** Starts no more tasks. Resolves when the running ones have ended. */
  close(): Promise<void>
}

interface TaskQueueOptions {
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  /** Called when at most half of WAITING_MAX wait: more tasks can be added. */
  readonly onCapacity: () => void
}

export function createTaskQueue({ log, onCapacity }: TaskQueueOptions): TaskQueue {
  const waiting: Record<TimerClass, TimerTask[]> = { call: [], room: [], presence: [], webhook: [] }
  const keys = new Set<string>()
  const running = new Set<Promise<void>>()
  /** The tasks that count, by their keys. `isOld`: it counted at the previous call of setSlowTasksAside. */
  const counted = new Map<string, { isOld: boolean }>()
  let isClosed = false

  const countWaiting = () => TIMER_CLASSES.reduce((sum, each) => sum + waiting[each].length, 0)

  function startNext(): void {
    while (!isClosed && counted.size < COUNTED_MAX) {
      const task = TIMER_CLASSES.map(each => waiting[each])
        .find(tasks => tasks.length > 0)
        ?.shift()
      if (!task) break
      start(task)
    }
    if (!isClosed && countWaiting() <= WAITING_MAX / 2) onCapacity()
  }

  function start({ key, run }: TimerTask): void {
    counted.set(key, { isOld: false })
    const done = run()
      .then(
        () => undefined,
        error => log.warn({ err: error, task: key }, 'timer failed; it is claimed again')
      )
      .finally(() => {
        running.delete(done)
        keys.delete(key)
        counted.delete(key)
        startNext()
      })
    running.add(done)
  }

  return {
    add(task) {
      if (isClosed || keys.has(task.key)) return
      keys.add(task.key)
      waiting[task.timerClass].push(task)
      startNext()
    },
    openClasses() {
      let waitingCount = 0
      return TIMER_CLASSES.filter(each => {
        waitingCount += waiting[each].length
        return waitingCount < WAITING_MAX
      })
    },
    setSlowTasksAside() {
      for (const [key, entry] of counted) {
        if (entry.isOld) counted.delete(key)
        entry.isOld = true
      }
      startNext()
    },
    async close() {
      isClosed = true
      while (running.size > 0) await Promise.all(running)
    }
  }
}
