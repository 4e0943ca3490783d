// When a node dies, all its streams are opened elsewhere in the same second. Only so many are worked on at a time, in the order they
// came: requests of others wait for those at most, in this process and in Redis. Several begin together, because commands that are
// sent together cost one system call.

const AT_ONCE = 64
/** The next ones begin when fewer than this are under way: those that hang do not hold up the others. */
const BEGIN_BELOW = AT_ONCE / 2

export interface Openings {
  run<T>(open: () => Promise<T>): Promise<T>
}

export function createOpenings(): Openings {
  const waiting: (() => void)[] = []
  let running = 0

  function end(): void {
    running--
    if (running >= BEGIN_BELOW) return
    const next = waiting.splice(0, AT_ONCE - running)
    running += next.length
    for (const begin of next) begin()
  }

  return {
    async run(open) {
      if (running < AT_ONCE && waiting.length === 0) running++
      else await new Promise<void>(resolve => waiting.push(resolve))
      return open().finally(end)
    }
  }
}
