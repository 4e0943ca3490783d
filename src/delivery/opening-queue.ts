// Limits how many streams are opened at a time. When a node dies, all its streams are opened elsewhere in the same second; other requests
// wait for at most these, in this process and in Redis. Openings start in batches, because commands sent together cost one system call.

const CONCURRENT_MAX = 64
/** The next batch starts below this number. Openings that hang do not delay the others. */
const START_BELOW = CONCURRENT_MAX / 2

export interface OpeningQueue {
  /** Calls `open` in the order of the calls. Settles with its result. */
  run<T>(open: () => Promise<T>): Promise<T>
}

export function createOpeningQueue(): OpeningQueue {
  const waiting: (() => void)[] = []
  let running = 0

  function onEnd(): void {
    running--
    if (running >= START_BELOW) return
    const batch = waiting.splice(0, CONCURRENT_MAX - running)
    running += batch.length
    for (const start of batch) start()
  }

  return {
    async run(open) {
      if (running < CONCURRENT_MAX && waiting.length === 0) running++
      else await new Promise<void>(resolve => waiting.push(resolve))
      return open().finally(onEnd)
    }
  }
}
