// Runs what is due a few at a time, the most urgent first. A task that takes long gives up its slot and goes on beside the
// others: a room that is slow to check, or a service that does not answer, delays no deadline.
import type { FastifyBaseLogger } from 'fastify'
import { TIMER_CLASSES, type TimerClass } from '../store/timers.js'

/** Started at once: enough to keep the store busy, few enough that an urgent task waits for milliseconds. */
const SLOTS = 64
/** A class takes no more while this many tasks wait that are at least as urgent. A claim lasts for seconds; these are done well before. */
const WAITING_MAX = 512

export interface Task {
  readonly timerClass: TimerClass
  /** Two tasks of one key never run at once: the second is dropped. */
  readonly key: string
  run(): Promise<unknown>
}

export interface TaskQueue {
  add(task: Task): void
  /** Which classes take more tasks, the most urgent first. */
  openClasses(): readonly TimerClass[]
  /** Called regularly: tasks that have run since the call before give up their slots. */
  passSlow(): void
  /** Starts nothing more. Resolves when what runs has ended. */
  close(): Promise<void>
}

interface Options {
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  /** Called whenever at most half of what may wait does: the moment to add more. */
  readonly onRoom: () => void
}

export function createTaskQueue({ log, onRoom }: Options): TaskQueue {
  const waiting: Record<TimerClass, Task[]> = { call: [], room: [], presence: [] }
  const keys = new Set<string>()
  const running = new Set<Promise<void>>()
  /** Those that hold a slot, and whether they did at the last call of passSlow. */
  const slots = new Map<string, { isOld: boolean }>()
  let isClosed = false

  const countWaiting = () => TIMER_CLASSES.reduce((sum, each) => sum + waiting[each].length, 0)

  function startNext(): void {
    while (!isClosed && slots.size < SLOTS) {
      const task = TIMER_CLASSES.map(each => waiting[each])
        .find(tasks => tasks.length > 0)
        ?.shift()
      if (!task) break
      start(task)
    }
    if (!isClosed && countWaiting() <= WAITING_MAX / 2) onRoom()
  }

  function start({ key, run }: Task): void {
    const slot = { isOld: false }
    slots.set(key, slot)
    const done = run()
      .then(
        () => undefined,
        error => log.warn({ err: error, task: key }, 'a timer failed; it is claimed again')
      )
      .finally(() => {
        running.delete(done)
        keys.delete(key)
        slots.delete(key)
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
      let asUrgent = 0
      return TIMER_CLASSES.filter(each => {
        asUrgent += waiting[each].length
        return asUrgent < WAITING_MAX
      })
    },
    passSlow() {
      for (const [key, slot] of slots) {
        if (slot.isOld) slots.delete(key)
        slot.isOld = true
      }
      startNext()
    },
    async close() {
      isClosed = true
      while (running.size > 0) await Promise.all(running)
    }
  }
}
